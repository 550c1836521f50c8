import { FAKE_TOKENS } from '../lib/exposure/token-format.ts';
import type { Random } from '../lib/random/random.ts';
import { type HttpRequest, type HttpResponse, PhoneError } from './http.ts';
import { paddedJson, randomText } from './padding.ts';

/** Length of the header padding: together with the path it makes all three requests equally long (S 5.2). */
const HEADER_PADDING = { registrationToken: 0, testresult: 7, tan: 14 } as const;

type Route = keyof typeof HEADER_PADDING;

/** What a phone registers under (S 2.2). */
export type RegistrationKey = { keyType: 'GUID'; key: string; keyDob?: string } | { keyType: 'TELETAN'; key: string };

/** Answer to a poll (S 2.3): `testResult` 0 to 9, `sc` the time of sample collection in seconds. */
export interface TestResult {
  testResult: number;
  sc?: number;
  labId?: string;
}

export function registrationTokenRequest(key: RegistrationKey, random: Pick<Random, 'int'>): HttpRequest {
  return request('registrationToken', { ...key }, random);
}

export function testResultRequest(registrationToken: string, random: Pick<Random, 'int'>): HttpRequest {
  return request('testresult', { registrationToken }, random);
}

export function tanRequest(registrationToken: string, random: Pick<Random, 'int'>): HttpRequest {
  return request('tan', { registrationToken }, random);
}

/** Cover traffic: the only verification call that shipped apps fake (S 5.1, 5.2). */
export function fakeTanRequest(random: Pick<Random, 'int'>): HttpRequest {
  const real = tanRequest(FAKE_TOKENS.android, random);
  return { ...real, headers: { ...real.headers, 'cwa-fake': '1' } };
}

export function readRegistrationToken(response: HttpResponse): string | undefined {
  return isSuccess(response) ? text(response, 'registrationToken') : undefined;
}

export function readTan(response: HttpResponse): string | undefined {
  return isSuccess(response) ? text(response, 'tan') : undefined;
}

/** Undefined when the server refused; a result outside 0..9 is refused by the phone (S 3.3). */
export function readTestResult(response: HttpResponse): TestResult | undefined {
  if (!isSuccess(response)) return undefined;
  const { testResult, sc, labId } = json(response);
  if (typeof testResult !== 'number' || !Number.isInteger(testResult) || testResult < 0 || testResult > 9) {
    throw new PhoneError('UNREADABLE_ANSWER');
  }
  return {
    testResult,
    ...(typeof sc === 'number' ? { sc } : {}),
    ...(typeof labId === 'string' ? { labId } : {}),
  };
}

export function isSuccess({ status }: HttpResponse): boolean {
  return status >= 200 && status < 300;
}

function request(route: Route, values: Record<string, string>, random: Pick<Random, 'int'>): HttpRequest {
  return {
    method: 'POST',
    path: `/version/v1/${route}`,
    headers: {
      'content-type': 'application/json',
      'cwa-fake': '0',
      'cwa-header-padding': randomText(HEADER_PADDING[route], random),
    },
    body: paddedJson(values, random),
  };
}

function text(response: HttpResponse, member: string): string {
  const value = json(response)[member];
  if (typeof value !== 'string' || value === '') throw new PhoneError('UNREADABLE_ANSWER');
  return value;
}

function json({ body }: HttpResponse): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch (error) {
    throw new PhoneError('UNREADABLE_ANSWER', { cause: error });
  }
  throw new PhoneError('UNREADABLE_ANSWER');
}
