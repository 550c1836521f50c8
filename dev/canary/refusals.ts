import { randomUUID } from 'node:crypto';
import type { DatabaseOwner } from '../mesh/databases.ts';
import { labReport, registration, resultPoll, tanRequest, upload } from '../wire/journeys.ts';
import { aTest, type Flows, issuedTan, jsonOf, keys, payloadOf, poolOf, report } from './material.ts';
import { textSecret } from './secret.ts';

/** Every field with a value that is refused, and places where there is nothing. */
export async function refused(flows: Flows): Promise<void> {
  const { phone, keep } = flows;
  const tan = randomUUID();
  const wrong = {
    origin: 'canary-origin-77',
    country: 'canary-country-78',
    key: 'canary-key-79',
    token: 'canary-token-80',
    otp: 'canary-otp-81',
    fake: 'canary-fake-82',
    teleTan: 'CANARYTT83',
    path: 'canary-path-84',
  };
  keep(textSecret('tan', tan), ...Object.values(wrong).map((text) => textSecret('refused value', text)));
  const good = { keys: keys(flows, 1) };
  for (const payload of [
    { ...good, origin: wrong.origin },
    { ...good, visitedCountries: [wrong.country] },
    { keys: [{ keyData: Buffer.from(wrong.key), transmissionRiskLevel: 3, rollingStartIntervalNumber: 144 }] },
    { ...good, checkIns: [{ locationId: Buffer.from(wrong.key) }] },
    good,
  ])
    await phone.send(upload(tan, payloadOf(flows, payload)));
  await phone.send(upload(wrong.token, payloadOf(flows, good)));
  await phone.send({
    ...upload('', payloadOf(flows, good)),
    headers: [
      ['content-type', 'application/x-protobuf'],
      ['cwa-fake', '0'],
      ['cwa-otp', wrong.otp],
    ],
  });
  await phone.send(upload(tan, payloadOf(flows, good), wrong.fake));
  await phone.send(upload(tan, Buffer.from(wrong.key)));
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
  for (const text of [unknown, wrong.token]) {
    await phone.send(resultPoll(text));
    await phone.send(tanRequest(text));
    await phone.send({ path: '/cwa.phone.v1.PhoneService/IssueTan', ...jsonOf({ registrationToken: text }) });
  }
  await phone.send(registration(wrong.key));
  await phone.send({
    path: '/version/v1/registrationToken',
    ...jsonOf({ keyType: wrong.key, key: wrong.key, [wrong.key]: wrong.key }),
  });
  await phone.send({ path: '/version/v1/registrationToken', ...jsonOf({ keyType: 'TELETAN', key: wrong.teleTan }) });
  await phone.send({
    path: '/version/v1/tan',
    headers: jsonOf({}).headers,
    body: Buffer.from(`{"registrationToken": ${wrong.token}`),
  });
  await phone.send({ method: 'GET', path: `/version/v1/${wrong.path}` });
  await phone.send({ path: `/${wrong.path}` });
}

export async function fakes(flows: Flows): Promise<void> {
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
export async function failures(flows: Flows, token: string): Promise<void> {
  const { mesh, phone, lab } = flows;
  const tan = await issuedTan(flows, token);
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
