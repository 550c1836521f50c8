import { create, toBinary } from '@bufbuild/protobuf';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { SubmissionPayloadSchema } from '../../gen/edge/cwa/exposure/v1/submission_payload_pb.ts';
import { answered, type WireAnswer, type WireClient, type WireRequest } from './exchange.ts';

const json = (path: string, value: unknown, fake = '0'): WireRequest => ({
  path,
  headers: [
    ['content-type', 'application/json'],
    ['cwa-fake', fake],
  ],
  body: Buffer.from(JSON.stringify(value)),
});

export const registration = (key: string, fake = '0') =>
  json('/version/v1/registrationToken', { keyType: 'GUID', key }, fake);
export const resultPoll = (registrationToken: string, fake = '0') =>
  json('/version/v1/testresult', { registrationToken }, fake);
export const tanRequest = (registrationToken: string, fake = '0') =>
  json('/version/v1/tan', { registrationToken }, fake);

export function upload(tan: string, body: Uint8Array, fake = '0', path = '/version/v1/diagnosis-keys'): WireRequest {
  return {
    path,
    headers: [
      ['content-type', 'application/x-protobuf'],
      ['cwa-fake', fake],
      ['cwa-authorization', tan],
    ],
    body,
  };
}

/** A payload of random keys, one a day, that breaks no rule. */
export function payload(nowMs: number, count = 14): Buffer {
  const today = Math.floor(nowMs / 86_400_000) * 144;
  const keys = Array.from({ length: count }, (_, age) => ({
    keyData: randomBytes(16),
    transmissionRiskLevel: 6,
    rollingStartIntervalNumber: today - 144 * age,
    rollingPeriod: 144,
    daysSinceOnsetOfSymptoms: 1,
  }));
  return Buffer.from(
    toBinary(SubmissionPayloadSchema, create(SubmissionPayloadSchema, { keys, visitedCountries: ['DE'] })),
  );
}

export const labReport = (
  ids: readonly string[],
  result: number,
  labId?: string,
  path = '/api/v1/lab/results',
): WireRequest => ({
  path,
  headers: [['content-type', 'application/json']],
  body: Buffer.from(JSON.stringify({ testResults: ids.map((id) => ({ id, result })), labId })),
});

export const aHashedGuid = (): string => createHash('sha256').update(randomUUID()).digest('hex');

export const tellOf = (answer: WireAnswer, member: string): string =>
  String((JSON.parse(answer.body.toString()) as Record<string, unknown>)[member]);

/** Registers `count` positive tests and answers their registration tokens. */
export async function positiveTokens(phone: WireClient, lab: WireClient, count: number): Promise<string[]> {
  const guids = Array.from({ length: count }, aHashedGuid);
  const report = answered(await lab.send(labReport(guids, 2)));
  if (report.status !== 204) throw new Error(`the lab's report was answered ${report.status}`);
  const tokens: string[] = [];
  for (const guid of guids) tokens.push(tellOf(answered(await phone.send(registration(guid))), 'registrationToken'));
  return tokens;
}

/** The whole intake once; throws when a step is answered otherwise than it should be. */
export async function intakeHolds(phone: WireClient, lab: WireClient, nowMs: number): Promise<void> {
  const [token = ''] = await positiveTokens(phone, lab, 1);
  const expectStatus = async (step: string, request: WireRequest, status: number): Promise<WireAnswer> => {
    const answer = answered(await phone.send(request));
    if (answer.status !== status) throw new Error(`${step} was answered ${answer.status}`);
    return answer;
  };
  await expectStatus('the poll', resultPoll(token), 200);
  const tan = tellOf(await expectStatus('the request of a TAN', tanRequest(token), 201), 'tan');
  await expectStatus('the upload', upload(tan, payload(nowMs)), 200);
}
