import { hashGuid } from '../../lib/exposure/token-format.ts';
import type { HttpResponse } from '../../phone/http.ts';
import type { UploadKey } from '../../phone/submission-vector.ts';
import { uploadRequest } from '../../phone/upload-requests.ts';
import {
  isSuccess,
  readRegistrationToken,
  readTan,
  readTestResult,
  registrationTokenRequest,
  tanRequest,
  testResultRequest,
} from '../../phone/verification-requests.ts';
import type { Deps } from './deps.ts';
import { ProbeFailure } from './step.ts';

const labId = 'probe';
const positive = 2;

/** A laboratory delivers a positive result for a test that nobody took; answers its GUID. */
export async function reportPositive({ partners, random }: Deps): Promise<string> {
  const guid = `${random.bytes(3).toString('hex')}-${random.uuid()}`.toUpperCase();
  const body = Buffer.from(JSON.stringify({ testResults: [{ id: hashGuid(guid), result: positive }], labId }));
  succeeded(
    await partners({
      method: 'POST',
      path: '/api/v1/lab/results',
      headers: { 'content-type': 'application/json' },
      body,
    }),
  );
  return guid;
}

/** Answers the registration token. */
export async function registerTest({ phones, random }: Deps, guid: string): Promise<string> {
  const response = succeeded(await phones(registrationTokenRequest({ keyType: 'GUID', key: hashGuid(guid) }, random)));
  return told(readRegistrationToken(response));
}

export async function pollResult({ phones, random }: Deps, token: string): Promise<void> {
  const response = succeeded(await phones(testResultRequest(token, random)));
  if (readTestResult(response)?.testResult !== positive) throw new ProbeFailure('ANSWER');
}

/** Answers the TAN. */
export async function getTan({ phones, random }: Deps, token: string): Promise<string> {
  return told(readTan(succeeded(await phones(tanRequest(token, random)))));
}

export async function uploadKeys(
  { phones, random }: Deps,
  keys: readonly UploadKey[],
  tan: string,
  visitedCountries: readonly string[],
): Promise<void> {
  succeeded(await phones(uploadRequest(keys, { visitedCountries, consentToFederation: true }, tan, random)));
}

function succeeded(response: HttpResponse): HttpResponse {
  if (!isSuccess(response)) throw new ProbeFailure('STATUS', response.status);
  return response;
}

function told(value: string | undefined): string {
  if (value === undefined) throw new ProbeFailure('ANSWER');
  return value;
}
