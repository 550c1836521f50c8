import { create, toBinary } from '@bufbuild/protobuf';
import { SubmissionPayloadSchema, type SubmissionType } from '../gen/edge/cwa/exposure/v1/submission_payload_pb.ts';
import type { Random } from '../lib/random/random.ts';
import type { HttpRequest } from './http.ts';
import { randomText } from './padding.ts';
import type { UploadKey } from './submission-vector.ts';

const PATH = '/version/v1/diagnosis-keys';
/** A key is taken to be this long, and a body is filled up to this many keys (S 5.2). */
const PADDING_PER_KEY = 28;
const PADDED_KEYS = 15;
const FAKE_HEADER_PADDING = 36;

/** What goes with the keys; absent fields are left out of the message. */
export interface UploadMeta {
  visitedCountries?: readonly string[];
  consentToFederation?: boolean;
  origin?: string;
  /** 0 PCR test, 1 rapid test. */
  submissionType?: number;
}

/** Real upload (S 5.2). The keys go as they are: a field that is absent stays absent. */
export function uploadRequest(
  keys: readonly UploadKey[],
  meta: UploadMeta,
  tan: string,
  random: Pick<Random, 'int'>,
): HttpRequest {
  const padding = PADDING_PER_KEY * Math.max(0, PADDED_KEYS - keys.length);
  const payload = create(SubmissionPayloadSchema, {
    keys: keys.map((key) => ({ ...key })),
    requestPadding: Buffer.from(randomText(padding, random)),
    visitedCountries: [...(meta.visitedCountries ?? [])],
    ...(meta.consentToFederation === undefined ? {} : { consentToFederation: meta.consentToFederation }),
    ...(meta.origin === undefined ? {} : { origin: meta.origin }),
    submissionType: (meta.submissionType ?? 0) as SubmissionType,
  });
  return request({ 'cwa-authorization': tan, 'cwa-fake': '0', 'cwa-header-padding': '' }, payload);
}

/** Cover traffic: padding of 15 keys and nothing else (S 5.2). */
export function fakeUploadRequest(random: Pick<Random, 'int'>): HttpRequest {
  const payload = create(SubmissionPayloadSchema, {
    requestPadding: Buffer.from(randomText(PADDING_PER_KEY * PADDED_KEYS, random)),
  });
  return request(
    { 'cwa-authorization': '', 'cwa-fake': '1', 'cwa-header-padding': randomText(FAKE_HEADER_PADDING, random) },
    payload,
  );
}

function request(
  headers: Record<string, string>,
  payload: ReturnType<typeof create<typeof SubmissionPayloadSchema>>,
): HttpRequest {
  return {
    method: 'POST',
    path: PATH,
    headers: { 'content-type': 'application/x-protobuf', ...headers },
    body: Buffer.from(toBinary(SubmissionPayloadSchema, payload)),
  };
}
