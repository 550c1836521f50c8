import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';
import { secureRandom } from '../../../lib/random/random.ts';
import { checkLab } from '../../commands/lab-check.ts';
import { guidedJourney } from '../../journey/guided-journey.ts';
import { inParallel } from '../../journey/people.ts';
import type { Mesh } from '../../mesh/mesh.ts';
import type { WireRequest } from '../../wire/exchange.ts';
import { aHashedGuid, labReport, payload, registration, resultPoll, tanRequest, upload } from '../../wire/journeys.ts';
import { callAsStranger } from './stranger.ts';

const width = 40;
/**
 * Transactions of distribution are told in steps of 5, bucket by bucket: with so many of a kind one of six buckets grows,
 * however near to their next step the runs of the journey left them.
 */
const enoughForAStep = 25;
const hourMs = 3_600_000;

interface Wire {
  send(request: WireRequest): Promise<{ status: number; text: string }>;
  close(): Promise<void>;
}

/**
 * Everything that operators may see happen, often enough that counters which move in steps move: the guided journey,
 * `people` whole ways from the lab to the upload, fakes, downloads, refusals, laboratories, operators, one call that the
 * matrix forbids. `tell` hears of each part.
 */
export async function driveTraffic(mesh: Mesh, people: number, tell: (part: string) => void): Promise<void> {
  tell('the guided journey');
  await guidedJourney(mesh, { line() {} });
  const phones = openWire(mesh, mesh.ports.GATEWAY_PHONE_PORT);
  const lab = openWire(mesh, mesh.ports.GATEWAY_PARTNER_PORT, 'lab');
  try {
    tell(`${people} people from the laboratory to the upload`);
    await wholeWays(mesh, phones, lab, people, width);
    tell('people one after another');
    await oneAfterAnother(mesh, phones, lab);
    tell('refusals, downloads');
    await refusals(mesh, phones);
    await downloads(phones, people);
    tell('laboratories, operators, a stranger in the mesh');
    await laboratories(mesh, lab);
    await operators(mesh);
    await callAsStranger(mesh);
    tell('three hours with fakes');
    for (let hours = 0; hours < 3; hours++) {
      await fakes(phones);
      await mesh.advanceTo((Math.floor(mesh.clock.nowMs() / hourMs) + 1) * hourMs);
      await downloads(phones, 20);
    }
    tell('runs that have nothing to do');
    await idleRuns(mesh);
  } finally {
    await phones.close();
    await lab.close();
  }
}

/** Once more what is told in large steps only: an hour that ends between two of them takes with it what was below. */
export async function driveMore(mesh: Mesh): Promise<void> {
  const phones = openWire(mesh, mesh.ports.GATEWAY_PHONE_PORT);
  const lab = openWire(mesh, mesh.ports.GATEWAY_PARTNER_PORT, 'lab');
  try {
    await oneAfterAnother(mesh, phones, lab);
    await idleRuns(mesh);
  } finally {
    await phones.close();
    await lab.close();
  }
}

/**
 * Few at a time, or the gateway gathers them: calls and transactions that phones cause are told from 50 an hour on, and
 * only what grows after that is a rate.
 */
async function oneAfterAnother(mesh: Mesh, phones: Wire, lab: Wire): Promise<void> {
  for (let times = 0; times < 2; times++) {
    await wholeWays(mesh, phones, lab, 120, 4);
    await delay(3_000);
  }
}

async function idleRuns(mesh: Mesh): Promise<void> {
  for (let runs = 0; runs < enoughForAStep; runs++) await mesh.runDistribution();
}

async function wholeWays(mesh: Mesh, phones: Wire, lab: Wire, people: number, lanes: number): Promise<void> {
  const hashes = Array.from({ length: people }, aHashedGuid);
  await lab.send(labReport(hashes, 2, 'lab-of-the-check'));
  await lab.send(labReport(Array.from({ length: people }, aHashedGuid), 1, 'lab-of-the-check'));
  await inParallel(hashes, lanes, async (hash) => {
    const token = await fieldOf(phones, registration(hash), 'registrationToken');
    await phones.send(resultPoll(token));
    const tan = await fieldOf(phones, tanRequest(token), 'tan');
    const { status } = await phones.send(upload(tan, payload(mesh.clock.nowMs())));
    if (status !== 200) throw new Error(`an upload was answered ${status}`);
    await phones.send(registration(hash));
  });
}

/** More than a thousand phone requests in an hour, or the share of fakes stays untold. */
async function fakes(phones: Wire): Promise<void> {
  const token = secureRandom.uuid();
  await inParallel(Array.from({ length: 1_010 }), width, async () => {
    await phones.send(resultPoll(token, '1'));
  });
}

async function refusals(mesh: Mesh, phones: Wire): Promise<void> {
  const twelve = Array.from({ length: 12 });
  await inParallel(twelve, width, async () => {
    await phones.send(upload(secureRandom.uuid(), payload(mesh.clock.nowMs())));
    await phones.send(upload(secureRandom.uuid(), Buffer.from('00', 'hex')));
    await phones.send(tanRequest(secureRandom.uuid()));
  });
}

async function downloads(phones: Wire, count: number): Promise<void> {
  const root = '/version/v1/diagnosis-keys/country/EUR/date';
  const { text } = await phones.send(get(root));
  const day = (JSON.parse(text) as string[]).at(-1) ?? '';
  const hours = JSON.parse((await phones.send(get(`${root}/${day}/hour`))).text || '[]') as number[];
  const paths = [
    root,
    `${root}/${day}`,
    `${root}/${day}/hour/${hours.at(-1) ?? 0}`,
    '/version/v2/app_config_android',
    `${root}/2020-01-01`,
  ];
  await inParallel(Array.from({ length: count }), width, async (_, index) => {
    await phones.send(get(paths[index % paths.length] ?? root));
  });
}

async function laboratories(mesh: Mesh, lab: Wire): Promise<void> {
  // Twice: the series of a partner begins with its first delivery, so that only the second one is growth.
  for (let times = 0; times < 2; times++) {
    await lab.send(quickTests(Math.floor(mesh.clock.nowMs() / 1_000) - 7_200));
    await delay(3_000);
  }
  const pem = (name: string) => readFileSync(join(mesh.home, 'pki', name), 'utf8');
  const url = `https://127.0.0.1:${mesh.ports.GATEWAY_PARTNER_PORT}`;
  await checkLab({ url, ca: pem('ca.crt'), cert: pem('lab.crt'), key: pem('lab.key'), labId: 'lab-of-the-check' });
}

/** Ten results with the time of the sample (seconds since 1970), from which the delay of a laboratory is told. */
function quickTests(collected: number): WireRequest {
  const testResults = Array.from({ length: 10 }, () => ({ id: aHashedGuid(), result: 6, sc: collected }));
  const body = Buffer.from(JSON.stringify({ testResults, labId: 'lab-of-the-check' }));
  return { path: '/api/v1/quicktest/results', headers: [['content-type', 'application/json']], body };
}

async function operators(mesh: Mesh): Promise<void> {
  const body = Buffer.from(JSON.stringify({ query: '{ me { team } }' }));
  const question: WireRequest = { path: '/graphql', headers: [['content-type', 'application/json']], body };
  const operator = openWire(mesh, mesh.ports.OPS_API_OPERATOR_PORT, 'operator');
  const nobody = openWire(mesh, mesh.ports.OPS_API_OPERATOR_PORT);
  try {
    for (let times = 0; times < 5; times++) {
      await operator.send(question);
      await nobody.send(question);
    }
  } finally {
    await operator.close();
    await nobody.close();
  }
}

const get = (path: string): WireRequest => ({ method: 'GET', path });

async function fieldOf(wire: Wire, request: WireRequest, field: string): Promise<string> {
  const { status, text } = await wire.send(request);
  if (status >= 300) throw new Error(`${request.path} was answered ${status}`);
  return (JSON.parse(text) as Record<string, string>)[field] ?? '';
}

/** Connections to a public port, as the caller that has the certificate `name`. */
function openWire(mesh: Mesh, port: number, name?: string): Wire {
  const pem = (file: string) => readFileSync(join(mesh.home, 'pki', file));
  const pool = new Pool(`https://localhost:${port}`, {
    connections: width,
    connect: { ca: pem('ca.crt'), ...(name ? { cert: pem(`${name}.crt`), key: pem(`${name}.key`) } : {}) },
  });
  return {
    async send({ method = 'POST', path, headers = [], body }) {
      const answer = await pool.request({
        method,
        path,
        headers: Object.fromEntries(headers),
        ...(body === undefined ? {} : { body: Buffer.from(body) }),
      });
      return { status: answer.statusCode, text: await answer.body.text() };
    },
    close: () => pool.close(),
  };
}
