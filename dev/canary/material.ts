import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { SubmissionPayloadSchema } from '../../gen/edge/cwa/exposure/v1/submission_payload_pb.ts';
import { openPool, type Pool } from '../../lib/db/pool.ts';
import { hashGuid } from '../../lib/exposure/token-format.ts';
import { silentLog } from '../../lib/telemetry/log.ts';
import { aGuid } from '../journey/people.ts';
import type { DatabaseOwner } from '../mesh/databases.ts';
import type { Mesh } from '../mesh/mesh.ts';
import type { WireAnswer, WireRequest } from '../wire/exchange.ts';
import { tanRequest, tellOf } from '../wire/journeys.ts';
import type { Recorder } from './recorder.ts';
import { octetSecret, type Secret, textSecret } from './secret.ts';

type Payload = MessageInitShape<typeof SubmissionPayloadSchema>;

/** What every flow works with. */
export interface Flows {
  readonly mesh: Mesh;
  readonly phone: Recorder;
  readonly lab: Recorder;
  keep(...secrets: Secret[]): void;
}

/** A printed GUID with what phones and labs make of it. */
export function aTest({ keep }: Flows): { hash: string; dob: string } {
  const guid = aGuid();
  const hash = hashGuid(guid);
  const dob = `x${createHash('sha256').update(`${guid}01011970`).digest('hex').slice(1)}`;
  keep(textSecret('GUID', guid), textSecret('hashed GUID', hash), textSecret('hashed GUID with birth date', dob));
  return { hash, dob };
}

export function poolOf(mesh: Mesh, owner: DatabaseOwner): Pool {
  return openPool({ url: mesh.databaseUrl(owner), poolSize: 1, setting: `${owner}_DATABASE_URL` }, silentLog);
}

export function jsonOf(value: object): Pick<WireRequest, 'headers' | 'body'> & { headers: [string, string][] } {
  return {
    headers: [
      ['content-type', 'application/json'],
      ['cwa-fake', '0'],
    ],
    body: Buffer.from(JSON.stringify(value)),
  };
}

export function padding({ keep }: Flows): string {
  const text = randomBytes(24).toString('base64url');
  keep(textSecret('padding', text));
  return text;
}

export function payloadOf(flows: Flows, payload: Payload): Buffer {
  const content = create(SubmissionPayloadSchema, {
    ...payload,
    requestPadding: Buffer.from(padding(flows)),
  });
  const unknown = `canary-unknown-field-${randomUUID()}`;
  flows.keep(textSecret('unknown field', unknown));
  // Field 15, which no version has.
  return Buffer.concat([
    toBinary(SubmissionPayloadSchema, content),
    Buffer.of(0x7a, unknown.length),
    Buffer.from(unknown),
  ]);
}

export function keys({ mesh, keep }: Flows, count: number) {
  const today = Math.floor(mesh.clock.nowMs() / 86_400_000) * 144;
  const made = Array.from({ length: count }, (_, age) => ({
    keyData: randomBytes(16),
    transmissionRiskLevel: 6,
    rollingStartIntervalNumber: today - 144 * age,
    rollingPeriod: 144,
    daysSinceOnsetOfSymptoms: 1,
  }));
  keep(...made.map(({ keyData }) => octetSecret('key data', keyData)));
  const sorted = made.map(({ keyData }) => keyData).sort(Buffer.compare);
  keep(octetSecret('hash of the keys', createHash('sha256').update(Buffer.concat(sorted)).digest()));
  return made;
}

export function report({ keep }: Flows) {
  const made = {
    locationIdHash: randomBytes(32),
    iv: randomBytes(16),
    encryptedCheckInRecord: randomBytes(16),
    mac: randomBytes(32),
  };
  keep(
    octetSecret('location', made.locationIdHash),
    ...[made.iv, made.encryptedCheckInRecord, made.mac].map((part) => octetSecret('report', part)),
  );
  return made;
}

export const issuedTan = async (flows: Flows, token: string): Promise<string> =>
  kept(flows, 'tan', await flows.phone.send(tanRequest(token), 'tan'), 'tan');

/** Registers with `request`. */
export const issuedToken = async (flows: Flows, request: WireRequest): Promise<string> =>
  kept(flows, 'registration token', await flows.phone.send(request, 'registration token'), 'registrationToken');

/** The value that an answer told, kept as a secret; throws when the flow did not come that far. */
function kept(flows: Flows, kind: string, answer: WireAnswer, member: string): string {
  if (answer.status !== 201) throw new Error(`${member} was refused with ${answer.status}`);
  const value = tellOf(answer, member);
  flows.keep(textSecret(kind, value));
  return value;
}
