import { createHash, createHmac, randomBytes, randomUUID, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SubmissionType } from '../../gen/edge/cwa/exposure/v1/submission_payload_pb.ts';
import { newTeleTan } from '../../lib/exposure/token-format.ts';
import { secureRandom } from '../../lib/random/random.ts';
import type { DatabaseOwner } from '../mesh/databases.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { partnerEndpoint, phoneEndpoint } from '../wire/endpoint.ts';
import { labReport, registration, resultPoll, tanRequest, upload } from '../wire/journeys.ts';
import { aTest, type Flows, jsonOf, kept, keys, padding, payloadOf, poolOf, report } from './material.ts';
import { type Recorder, recorder, transportSecrets } from './recorder.ts';
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
    tokens.push(
      kept(flows, 'registration token', await phone.send(withDob, 'registration token'), 'registrationToken'),
    );
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
    const replaced = kept(flows, 'tan', await phone.send(tanRequest(token), 'tan'), 'tan');
    const tan = kept(flows, 'tan', await phone.send(tanRequest(token), 'tan'), 'tan');
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
    const token = kept(
      flows,
      'registration token',
      await phone.send(request, 'registration token'),
      'registrationToken',
    );
    await phone.send(request);
    await phone.send(resultPoll(token));
    const tan = kept(flows, 'tan', await phone.send(tanRequest(token), 'tan'), 'tan');
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

async function refused(flows: Flows): Promise<void> {
  const { phone, keep } = flows;
  const tan = randomUUID();
  const wrong = [
    'canary-origin-77',
    'canary-country-78',
    'canary-key-79',
    'canary-token-80',
    'canary-otp-81',
    'canary-fake-82',
    'CANARYTT83',
    'canary-path-84',
  ] as const;
  keep(textSecret('tan', tan), ...wrong.map((text) => textSecret('refused value', text)));
  const good = { keys: keys(flows, 1) };
  for (const payload of [
    { ...good, origin: wrong[0] },
    { ...good, visitedCountries: [wrong[1]] },
    { keys: [{ keyData: Buffer.from(wrong[2]), transmissionRiskLevel: 3, rollingStartIntervalNumber: 144 }] },
    { ...good, checkIns: [{ locationId: Buffer.from(wrong[2]) }] },
    good,
  ])
    await phone.send(upload(tan, payloadOf(flows, payload)));
  await phone.send(upload(wrong[3], payloadOf(flows, good)));
  await phone.send({
    ...upload('', payloadOf(flows, good)),
    headers: [
      ['content-type', 'application/x-protobuf'],
      ['cwa-fake', '0'],
      ['cwa-otp', wrong[4]],
    ],
  });
  await phone.send(upload(tan, payloadOf(flows, good), wrong[5]));
  await phone.send(upload(tan, Buffer.from(wrong[2])));
  await phone.send(
    upload(
      tan,
      payloadOf(flows, { checkInProtectedReports: [report(flows)] }),
      '0',
      '/version/v1/submission-on-behalf',
    ),
  );
  const unknown = randomUUID();
  keep(textSecret('registration token', unknown));
  for (const text of [unknown, wrong[3]]) {
    await phone.send(resultPoll(text));
    await phone.send(tanRequest(text));
    await phone.send({ path: '/cwa.phone.v1.PhoneService/IssueTan', ...jsonOf({ registrationToken: text }) });
  }
  await phone.send(registration(wrong[2]));
  await phone.send({
    path: '/version/v1/registrationToken',
    ...jsonOf({ keyType: wrong[2], key: wrong[2], [wrong[2]]: wrong[2] }),
  });
  await phone.send({ path: '/version/v1/registrationToken', ...jsonOf({ keyType: 'TELETAN', key: wrong[6] }) });
  await phone.send({
    path: '/version/v1/tan',
    headers: jsonOf({}).headers,
    body: Buffer.from(`{"registrationToken": ${wrong[3]}`),
  });
  await phone.send({ method: 'GET', path: `/version/v1/${wrong[7]}` });
  await phone.send({ path: `/${wrong[7]}` });
}

async function fakes(flows: Flows): Promise<void> {
  const { phone } = flows;
  const token = randomUUID();
  flows.keep(textSecret('fake token', token));
  const { hash } = aTest(flows);
  await phone.send(registration(hash, '1'));
  await phone.send(resultPoll(token, '1'));
  await phone.send(tanRequest(token, '1'));
  await phone.send(upload(token, payloadOf(flows, { keys: keys(flows, 3) }), '1'));
  await phone.send(upload('', Buffer.from('canary-of-a-fake-upload'), '4711'));
  flows.keep(textSecret('fake token', 'canary-of-a-fake-upload'));
}

/** Tables that are not there and services that are gone: where messages of drivers and stacks would tell most. */
async function failures(flows: Flows, token: string): Promise<void> {
  const { mesh, phone, lab } = flows;
  const tan = kept(flows, 'tan', await phone.send(tanRequest(token), 'tan'), 'tan');
  const tries = async () => {
    await phone.send(registration(aTest(flows).hash));
    await phone.send(resultPoll(token), 'lab id');
    await phone.send(upload(tan, payloadOf(flows, { keys: keys(flows, 2) })));
    await lab.send(labReport([aTest(flows).hash], 2, 'canary-lab-of-a-failure'));
  };
  flows.keep(textSecret('lab id', 'canary-lab-of-a-failure'));
  // First: what a process has gathered to tell is lost when it is killed.
  for (const name of ['submission', 'verification', 'test-result']) {
    await mesh.processes.get(name)?.kill();
    await tries();
    await mesh.restart(name);
  }
  const broken: [DatabaseOwner, string][] = [
    ['VERIFICATION', 'registered_hash'],
    ['VERIFICATION', 'tan'],
    ['SUBMISSION', 'diagnosis_key'],
    ['TEST_RESULT', 'test_result'],
  ];
  for (const [owner, table] of broken) {
    const pool = poolOf(mesh, owner);
    await pool.query(`alter table ${table} rename to ${table}_away`);
    await tries();
    await pool.query(`alter table ${table}_away rename to ${table}`);
    await pool.close();
  }
}
