import type { Random } from '../lib/random/random.ts';
import type { Http, HttpRequest, HttpResponse } from './http.ts';
import type { UploadKey } from './submission-vector.ts';
import { fakeUploadRequest, type UploadMeta, uploadRequest } from './upload-requests.ts';
import {
  fakeTanRequest,
  isSuccess,
  type RegistrationKey,
  readRegistrationToken,
  readTan,
  readTestResult,
  registrationTokenRequest,
  type TestResult,
  tanRequest,
  testResultRequest,
} from './verification-requests.ts';

/*
 * Every action of the owner sends two verification calls and then one submission call, so that an observer
 * cannot tell what the owner did (P S-9, S 5.1). The calls that the action does not need are fakes; failures
 * of fakes do not matter, and a failure of a real call still completes the pattern.
 */

export interface Wire {
  http: Http;
  random: Random;
}

export type RegisterOutcome =
  | { registered: true; registrationToken: string; testResult: TestResult | undefined }
  | { registered: false; status: number };

export interface PollOutcome {
  status: number;
  /** Absent when the server refused. */
  testResult?: TestResult;
}

export interface UploadOutcome {
  accepted: boolean;
  /** Status of the TAN call; absent when a stored TAN was used. */
  tanStatus?: number;
  /** Status of the upload; absent when there was no TAN to upload with. */
  uploadStatus?: number;
  /** For the next attempt: a TAN that was not accepted yet is used again (S 5.3). */
  tan?: string;
}

/** Registers a test and asks for its result at once. */
export async function register(wire: Wire, key: RegistrationKey): Promise<RegisterOutcome> {
  const first = await attempt(() => wire.http(registrationTokenRequest(key, wire.random)));
  const token = first.value && readSafely(() => readRegistrationToken(first.value as HttpResponse));
  const second =
    token === undefined
      ? (await fake(wire, fakeTanRequest(wire.random)), undefined)
      : await attempt(() => wire.http(testResultRequest(token, wire.random)));
  await fake(wire, fakeUploadRequest(wire.random));
  rethrow(first);
  if (token === undefined) return { registered: false, status: first.value?.status ?? 0 };
  const testResult = second?.value && readSafely(() => readTestResult(second.value as HttpResponse));
  return { registered: true, registrationToken: token, testResult };
}

/** Asks for the result of a registered test. */
export async function poll(wire: Wire, registrationToken: string): Promise<PollOutcome> {
  const first = await attempt(() => wire.http(testResultRequest(registrationToken, wire.random)));
  await fake(wire, fakeTanRequest(wire.random));
  await fake(wire, fakeUploadRequest(wire.random));
  rethrow(first);
  const response = first.value as HttpResponse;
  const testResult = readTestResult(response);
  return { status: response.status, ...(testResult === undefined ? {} : { testResult }) };
}

/** Gets a TAN, unless one is left from an earlier attempt, and uploads the keys with it. */
export async function upload(
  wire: Wire,
  registrationToken: string,
  content: { keys: readonly UploadKey[]; meta: UploadMeta; storedTan?: string | undefined },
): Promise<UploadOutcome> {
  const first =
    content.storedTan === undefined
      ? await attempt(() => wire.http(tanRequest(registrationToken, wire.random)))
      : (await fake(wire, fakeTanRequest(wire.random)), undefined);
  const tan = content.storedTan ?? (first?.value && readSafely(() => readTan(first.value as HttpResponse)));
  await fake(wire, fakeTanRequest(wire.random));
  const tanStatus = first?.value === undefined ? {} : { tanStatus: first.value.status };
  if (tan === undefined) {
    await fake(wire, fakeUploadRequest(wire.random));
    if (first !== undefined) rethrow(first);
    return { accepted: false, ...tanStatus };
  }
  const sent = await attempt(() => wire.http(uploadRequest(content.keys, content.meta, tan, wire.random)));
  if (sent.value === undefined) return { accepted: false, ...tanStatus, tan };
  const accepted = isSuccess(sent.value);
  return { accepted, ...tanStatus, uploadStatus: sent.value.status, ...(accepted ? {} : { tan }) };
}

/** Three fake requests without an action behind them. */
export async function fakeSequence(wire: Wire): Promise<void> {
  await fake(wire, fakeTanRequest(wire.random));
  await fake(wire, fakeTanRequest(wire.random));
  await fake(wire, fakeUploadRequest(wire.random));
}

interface Attempt {
  value?: HttpResponse;
  error?: unknown;
}

async function attempt(call: () => Promise<HttpResponse>): Promise<Attempt> {
  try {
    return { value: await call() };
  } catch (error) {
    return { error };
  }
}

async function fake(wire: Wire, request: HttpRequest): Promise<void> {
  await attempt(() => wire.http(request));
}

/** An answer that cannot be read counts as a failed call: the pattern goes on. */
function readSafely<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function rethrow(done: Attempt): void {
  if (done.value === undefined) throw done.error;
}
