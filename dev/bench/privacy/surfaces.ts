import { create, toBinary } from '@bufbuild/protobuf';
import { SubmissionPayloadSchema } from '../../../gen/edge/cwa/exposure/v1/submission_payload_pb.ts';
import {
  GetTestResultRequestSchema,
  IssueTanRequestSchema,
  KeyType,
  RegisterTokenRequestSchema,
  SubmitKeysRequestSchema,
} from '../../../gen/edge/cwa/phone/v1/phone_pb.ts';
import { INTERVALS_PER_DAY, utcDay } from '../../../lib/exposure/intervals.ts';
import type { Random } from '../../../lib/random/random.ts';
import { paddedJson, randomText } from '../../../phone/padding.ts';

export type Kind = 'real' | 'fake';

export interface SampleRequest {
  readonly path: string;
  /** Names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

/** Seeded rows that real requests use up or name. */
export interface Seeded {
  readonly random: Random;
  readonly nowSeconds: number;
  /** A TAN that nobody has used. */
  tan(): string;
  /** A registration token whose test is positive. */
  token(): string;
}

/** One operation over one protocol: what a real and a fake request of it look like. Both have the same size. */
export interface Surface {
  readonly name: string;
  readonly status: number;
  request(kind: Kind, seeded: Seeded): SampleRequest;
}

const json = ['content-type', 'application/json'] as const;
const protobuf = ['content-type', 'application/x-protobuf'] as const;
const connect = [
  ['content-type', 'application/proto'],
  ['connect-protocol-version', '1'],
] as const;
const fakeHeader = (kind: Kind) => ['cwa-fake', kind === 'fake' ? '1' : '0'] as const;
const service = '/cwa.phone.v1.PhoneService';
const padding = 'p'.repeat(120);

export const surfaces: readonly Surface[] = [
  {
    name: 'registration, REST',
    status: 201,
    request: (kind, { random }) => ({
      path: '/version/v1/registrationToken',
      headers: [json, fakeHeader(kind)],
      body: paddedJson({ keyType: 'GUID', key: random.bytes(32).toString('hex') }, random),
    }),
  },
  {
    name: 'registration, Connect',
    status: 200,
    request: (kind, { random }) => ({
      path: `${service}/RegisterToken`,
      headers: [...connect, fakeHeader(kind)],
      body: encoded(RegisterTokenRequestSchema, {
        keyType: KeyType.GUID,
        key: random.bytes(32).toString('hex'),
        requestPadding: padding,
      }),
    }),
  },
  {
    name: 'result, REST',
    status: 200,
    request: (kind, { random, token }) => ({
      path: '/version/v1/testresult',
      headers: [json, fakeHeader(kind)],
      body: paddedJson({ registrationToken: tokenFor(kind, token, random) }, random),
    }),
  },
  {
    name: 'result, Connect',
    status: 200,
    request: (kind, { random, token }) => ({
      path: `${service}/GetTestResult`,
      headers: [...connect, fakeHeader(kind)],
      body: encoded(GetTestResultRequestSchema, {
        registrationToken: tokenFor(kind, token, random),
        requestPadding: padding,
      }),
    }),
  },
  {
    name: 'TAN, REST',
    status: 201,
    request: (kind, { random, token }) => ({
      path: '/version/v1/tan',
      headers: [json, fakeHeader(kind)],
      body: paddedJson({ registrationToken: tokenFor(kind, token, random) }, random),
    }),
  },
  {
    name: 'TAN, Connect',
    status: 200,
    request: (kind, { random, token }) => ({
      path: `${service}/IssueTan`,
      headers: [...connect, fakeHeader(kind)],
      body: encoded(IssueTanRequestSchema, {
        registrationToken: tokenFor(kind, token, random),
        requestPadding: padding,
      }),
    }),
  },
  {
    name: 'upload, REST',
    status: 200,
    request: (kind, seeded) => ({
      path: '/version/v1/diagnosis-keys',
      headers: [protobuf, ...uploadHeaders(kind, seeded)],
      body: Buffer.from(toBinary(SubmissionPayloadSchema, uploadPayload(kind, seeded))),
    }),
  },
  {
    name: 'upload, Connect',
    status: 200,
    request: (kind, seeded) => ({
      path: `${service}/SubmitKeys`,
      headers: [...connect, ...uploadHeaders(kind, seeded)],
      body: encoded(SubmitKeysRequestSchema, { payload: uploadPayload(kind, seeded) }),
    }),
  },
];

function encoded(...[schema, init]: Parameters<typeof create>): Buffer {
  return Buffer.from(toBinary(schema, create(schema, init)));
}

const tokenFor = (kind: Kind, token: () => string, random: Random): string =>
  kind === 'real' ? token() : random.uuid();

/** The TAN of a real upload and the padding of a fake one are equally long (S 5.2). */
function uploadHeaders(kind: Kind, { random, tan }: Seeded) {
  return [
    ['cwa-authorization', kind === 'real' ? tan() : ''],
    fakeHeader(kind),
    ['cwa-header-padding', kind === 'real' ? '' : randomText(36, random)],
  ] as const;
}

const keysPerUpload = 14;

function uploadPayload(kind: Kind, seeded: Seeded) {
  const real = realPayload(seeded);
  if (kind === 'real') return real;
  const size = toBinary(SubmissionPayloadSchema, real).length;
  // Tag and a length of two octets.
  return create(SubmissionPayloadSchema, { requestPadding: seeded.random.bytes(size - 3) });
}

function realPayload({ random, nowSeconds }: Seeded) {
  const today = utcDay(nowSeconds);
  return create(SubmissionPayloadSchema, {
    keys: Array.from({ length: keysPerUpload }, (_, i) => ({
      keyData: random.bytes(16),
      rollingStartIntervalNumber: (today - 1 - (i % 13)) * INTERVALS_PER_DAY,
      rollingPeriod: INTERVALS_PER_DAY,
      transmissionRiskLevel: (i % 8) + 1,
      daysSinceOnsetOfSymptoms: i,
    })),
    requestPadding: Buffer.alloc(28, 'p'),
    visitedCountries: ['DE'],
    consentToFederation: true,
    origin: 'DE',
  });
}
