import { createHash, createHmac, randomBytes, randomUUID, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SubmissionType } from '../../gen/edge/cwa/exposure/v1/submission_payload_pb.ts';
import { newTeleTan } from '../../lib/exposure/token-format.ts';
import { secureRandom } from '../../lib/random/random.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { partnerEndpoint, phoneEndpoint } from '../wire/endpoint.ts';
import { labReport, registration, resultPoll, tanRequest, upload } from '../wire/journeys.ts';
import {
  aTest,
  type Flows,
  issuedTan,
  issuedToken,
  jsonOf,
  keys,
  padding,
  payloadOf,
  poolOf,
  report,
} from './material.ts';
import { type Recorder, recorder, transportSecrets } from './recorder.ts';
import { failures, fakes, refused } from './refusals.ts';
import { encoded, octetSecret, type Secret, textSecret } from './secret.ts';

/** What was sent and issued on the way, and what was answered. */
export interface IntakeRun {
  readonly secrets: Secret[];
  readonly phone: Recorder;
  readonly lab: Recorder;
  close(): Promise<void>;
}

/** Enough uploads of this size that an hour package is published (140 keys). */
const uploadsToPublish = 12;
const keysAnUpload = 15;

/** Every flow of the intake with a canary in every field: what goes well, what is repeated, refused, faked and fails. */
export async function runIntake(mesh: Mesh): Promise<IntakeRun> {
  const secrets: Secret[] = [...transportSecrets];
  const phone = recorder(phoneEndpoint(mesh));
  const lab = recorder(partnerEndpoint(mesh));
  const flows = { mesh, phone, lab, keep: (...some: Secret[]) => void secrets.push(...some) };
  keepFingerprint(flows);
  const tokens = await reportsAndRegistrations(flows);
  await polls(flows, tokens);
  await uploads(flows, tokens);
  await teleTans(flows);
  await refused(flows);
  await fakes(flows);
  await failures(flows, tokens.failing);
  return {
    secrets,
    phone,
    lab,
    async close() {
      phone.close();
      lab.close();
    },
  };
}

function keepFingerprint({ mesh, keep }: Flows): void {
  const certificate = new X509Certificate(readFileSync(join(mesh.home, 'pki', 'lab.crt')));
  keep(octetSecret('submitter', Buffer.from(certificate.fingerprint256.replaceAll(':', ''), 'hex')));
}

async function reportsAndRegistrations(flows: Flows) {
  const { lab, phone, keep } = flows;
  const labId = `canary-lab-${randomUUID()}`;
  keep(textSecret('lab id', labId));
  const tests = Array.from({ length: uploadsToPublish + 1 }, () => aTest(flows));
  const negative = aTest(flows);
  await lab.send(
    labReport(
      tests.flatMap(({ hash, dob }) => [hash, dob]),
      2,
      labId,
    ),
  );
  await lab.send(labReport([negative.hash], 1, labId));
  const tokens: string[] = [];
  for (const { hash, dob } of [...tests, negative]) {
    const withDob = {
      path: '/version/v1/registrationToken',
      ...jsonOf({ keyType: 'GUID', key: hash, keyDob: dob, requestPadding: padding(flows) }),
    };
    tokens.push(await issuedToken(flows, withDob));
    await phone.send(registration(hash));
    await phone.send(registration(dob));
  }
  const [failing = '', ...positive] = tokens.slice(0, -1);
  await otherFamilies(flows, labId);
  return { positive, failing, negative: tokens.at(-1) ?? '' };
}

/** Quick tests and PoC-NAT: partners deliver a hash, phones register the hash of its text (S 2.8). */
async function otherFamilies(flows: Flows, labId: string): Promise<void> {
  const { lab, phone, keep } = flows;
  for (const [route, code] of [
    ['quicktest', 7],
    ['pocnat', 12],
  ] as const) {
    const id = randomBytes(32).toString('hex');
    const key = createHash('sha256').update(id).digest('hex');
    keep(textSecret('partner id', id), textSecret('hashed GUID', key));
    await lab.send(labReport([id], code, labId, `/api/v1/${route}/results`));
    await lab.send({ path: `/api/v1/${route}/result`, ...jsonOf({ id }) }, 'lab id');
    await phone.send(registration(key), 'registration token');
  }
  const connect = randomBytes(32).toString('hex');
  keep(textSecret('hashed GUID', connect));
  const results = [
    { id: connect, result: 2 },
    { id: 'canary-no-id-4711', result: 2 },
    { id: connect, result: 99 },
  ];
  keep(textSecret('bad id', 'canary-no-id-4711'));
  await lab.send({
    path: '/cwa.lab.v1.LabService/ReportResults',
    ...jsonOf({ family: 'TEST_FAMILY_PCR', labId, results }),
  });
  await lab.send({
    path: '/cwa.lab.v1.LabService/LookUpResult',
    ...jsonOf({ family: 'TEST_FAMILY_QUICK_TEST', id: connect }),
  });
  await lab.send(labReport([connect, 'canary-no-id-4711'], 2, labId));
  await lab.send(labReport([connect], 77, 'canary-lab-of-a-bad-list'));
  keep(textSecret('bad lab id', 'canary-lab-of-a-bad-list'));
}

async function polls(
  { phone }: Flows,
  { positive, negative }: { positive: readonly string[]; negative: string },
): Promise<void> {
  for (const token of [...positive, negative]) await phone.send(resultPoll(token), 'lab id');
  await phone.send(
    { path: '/cwa.phone.v1.PhoneService/GetTestResult', ...jsonOf({ registrationToken: negative }) },
    'lab id',
  );
  await phone.send(tanRequest(negative));
}

async function uploads(flows: Flows, { positive }: { positive: readonly string[] }): Promise<void> {
  const { phone } = flows;
  for (const [index, token] of positive.entries()) {
    const replaced = await issuedTan(flows, token);
    const tan = await issuedTan(flows, token);
    const body = payloadOf(flows, {
      keys: keys(flows, keysAnUpload),
      visitedCountries: ['DE', 'FR'],
      consentToFederation: true,
    });
    if (index === 0) await phone.send(upload(replaced, body));
    await phone.send(upload(`TAN ${tan}`, body));
    if (index === 0) await phone.send(upload(tan, body));
    if (index === 1) await phone.send(upload(tan, payloadOf(flows, { keys: keys(flows, 1) })));
  }
}

/** teleTANs of both types as the hotline's portal would have them issued, and an organiser's upload. */
async function teleTans(flows: Flows): Promise<void> {
  const { mesh, phone, keep } = flows;
  const pepper = readFileSync(join(mesh.home, 'secrets', 'tele-tan-pepper'), 'utf8').trim();
  const pool = poolOf(mesh, 'VERIFICATION');
  for (const type of [1, 2]) {
    const teleTan = newTeleTan(secureRandom);
    const hash = createHmac('sha256', pepper).update(teleTan).digest();
    keep(textSecret('teleTAN', teleTan, encoded('hmac', hash)));
    await pool.query('insert into tele_tan (hash, type, created_at, valid_until) values ($1, $2, $3, $4)', [
      hash,
      type,
      mesh.clock.now(),
      new Date(mesh.clock.nowMs() + 3_600_000),
    ]);
    const request = { path: '/version/v1/registrationToken', ...jsonOf({ keyType: 'TELETAN', key: teleTan }) };
    const token = await issuedToken(flows, request);
    await phone.send(request);
    await phone.send(resultPoll(token));
    const tan = await issuedTan(flows, token);
    const warning = payloadOf(flows, {
      submissionType: SubmissionType.HOST_WARNING,
      checkInProtectedReports: [report(flows)],
    });
    await phone.send(
      upload(
        tan,
        type === 2 ? warning : payloadOf(flows, { keys: keys(flows, 2), submissionType: 1 }),
        '0',
        type === 2 ? '/version/v1/submission-on-behalf' : undefined,
      ),
    );
  }
  await pool.close();
}
