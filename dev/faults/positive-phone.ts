import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { INTERVALS_PER_DAY, utcDay } from '../../lib/exposure/intervals.ts';
import { secureRandom } from '../../lib/random/random.ts';
import type { HttpRequest, HttpResponse } from '../../phone/http.ts';
import { uploadRequest } from '../../phone/upload-requests.ts';
import { readTan, tanRequest } from '../../phone/verification-requests.ts';
import type { Mesh } from '../mesh/mesh.ts';

/** Status of an answer, or that none came. */
export type Status = number | 'no answer';

export interface Answer {
  readonly status: Status;
  /** Of a request for a TAN that was answered with one. */
  readonly tan?: string;
}

/** The phones of people who tested positive, as far as spending a TAN goes. */
export interface PositivePhones {
  requestTan(registrationToken: string): Promise<Answer>;
  /** Each time with new padding, as phones do. */
  upload(tan: string, keys: readonly Buffer[]): Promise<Answer>;
  close(): Promise<void>;
}

export interface PhoneOptions {
  readonly port: number;
  /** Connections at most; default 1. */
  readonly connections?: number;
  /** Milliseconds after which a phone gives up waiting. */
  readonly patienceMs: number;
}

/** Sends what phones send, and takes a broken connection for what it is to a phone: no answer. */
export interface PhoneLine {
  ask(request: HttpRequest): Promise<HttpResponse | undefined>;
  close(): Promise<void>;
}

export function openPhoneLine(mesh: Mesh, { port, connections = 1, patienceMs }: PhoneOptions): PhoneLine {
  const ca = readFileSync(join(mesh.home, 'pki', 'ca.crt'));
  // Over HTTP/2 giving up would end the request, not the connection that has fallen silent.
  const agent = new Agent({ connections, pipelining: 1, allowH2: false, keepAliveTimeout: 600_000, connect: { ca } });
  return {
    async ask({ method, path, headers, body }) {
      try {
        const answer = await request(`https://127.0.0.1:${port}${path}`, {
          dispatcher: agent,
          method,
          headers,
          body: body ?? null,
          signal: AbortSignal.timeout(patienceMs),
        });
        return { status: answer.statusCode, headers: {}, body: Buffer.from(await answer.body.arrayBuffer()) };
      } catch {
        return undefined;
      }
    },
    close: () => agent.destroy(),
  };
}

export function positivePhones(mesh: Mesh, options: PhoneOptions): PositivePhones {
  const { ask, close } = openPhoneLine(mesh, options);
  return {
    async requestTan(registrationToken) {
      const answer = await ask(tanRequest(registrationToken, secureRandom));
      const tan = answer?.status === 201 ? readTan(answer) : undefined;
      return { status: answer?.status ?? 'no answer', ...(tan === undefined ? {} : { tan }) };
    },
    async upload(tan, keys) {
      return { status: (await ask(uploadOf(keys, tan, mesh.clock.nowMs())))?.status ?? 'no answer' };
    },
    close,
  };
}

/** The upload of a phone that has made one key a day. */
export function uploadOf(keys: readonly Buffer[], tan: string, nowMs: number): HttpRequest {
  const yesterday = utcDay(nowMs / 1000) - 1;
  const uploaded = keys.map((keyData, i) => ({
    keyData,
    rollingStartIntervalNumber: (yesterday - i) * INTERVALS_PER_DAY,
    rollingPeriod: INTERVALS_PER_DAY,
    transmissionRiskLevel: 5,
    daysSinceOnsetOfSymptoms: i,
  }));
  return uploadRequest(
    uploaded,
    { visitedCountries: ['DE'], consentToFederation: true, origin: 'DE' },
    tan,
    secureRandom,
  );
}

/** As many keys as a phone of three days has. */
export const newKeys = (): Buffer[] => Array.from({ length: 3 }, () => secureRandom.bytes(16));

/** What a TAN is reserved for (decision 20). */
export const hashOfKeys = (keys: readonly Buffer[]): Buffer =>
  createHash('sha256')
    .update(Buffer.concat([...keys].sort(Buffer.compare)))
    .digest();

export const newToken = (): string => randomUUID();
