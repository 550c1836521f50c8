import { createHmac, timingSafeEqual } from 'node:crypto';

/** Header by which the prober shows that a request is synthetic (decision 35). */
export const PROBE_HEADER = 'cwa-probe';

export interface ProbeMark {
  /** Seconds since 1970 UTC at which the request was made. */
  readonly seconds: number;
  /** 32 hex digits, never used twice. */
  readonly nonce: string;
}

const form = /^(\d{1,12})\.([0-9a-f]{32})\.([0-9a-f]{64})$/;

/** Value of the header for one request to `path` (without query). */
export function signProbeRequest(secret: string, path: string, { seconds, nonce }: ProbeMark): string {
  return `${seconds}.${nonce}.${markOf(secret, path, seconds, nonce).toString('hex')}`;
}

/** What a header says that the holder of the secret made for this path; undefined for any other. Age is not judged. */
export function readProbeRequest(secret: string, path: string, header: string): ProbeMark | undefined {
  const [, seconds = '', nonce = '', mark = ''] = form.exec(header) ?? [];
  if (mark === '') return undefined;
  const expected = markOf(secret, path, Number(seconds), nonce);
  return timingSafeEqual(Buffer.from(mark, 'hex'), expected) ? { seconds: Number(seconds), nonce } : undefined;
}

const markOf = (secret: string, path: string, seconds: number, nonce: string): Buffer =>
  createHmac('sha256', secret).update(`${seconds}.${nonce}.${path}`).digest();
