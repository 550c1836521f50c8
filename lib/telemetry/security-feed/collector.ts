import { Agent, request } from 'node:https';
import type { CertificateSource } from '../../rpc/certificates.ts';

/** `refused`: the same lines would be refused for ever. `unavailable`: later may be better. */
export interface CollectorAnswer {
  readonly outcome: 'taken' | 'refused' | 'unavailable';
  /** A status, or the code of an error. */
  readonly reason: string;
}

export interface Collector {
  /** Sends lines of JSON; never throws. */
  post(lines: readonly string[]): Promise<CollectorAnswer>;
  close(): void;
}

const answerLimitMs = 10_000;
/** What says that the content is at fault; 401, 403 or 404 speak of the set-up, which people mend. */
const contentFaults = new Set([400, 411, 413, 415, 422]);

/** Sends to `url` over TLS 1.2 or newer, with the client certificate of `certificates`, to whom its CA vouches for. */
export function openCollector(url: URL, certificates: CertificateSource): Collector {
  const newAgent = () =>
    new Agent({
      ...certificates.current(),
      keepAlive: true,
      maxSockets: 1,
      minVersion: 'TLSv1.2',
      maxCachedSessions: 0,
    });
  let agent = newAgent();
  const stopFollowing = certificates.onChange(() => {
    agent.destroy();
    agent = newAgent();
  });
  const closing = new AbortController();

  return {
    post: (lines) =>
      new Promise((done) => {
        const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(answerLimitMs)]);
        const outgoing = request(url, {
          agent,
          method: 'POST',
          headers: { 'content-type': 'application/x-ndjson' },
          rejectUnauthorized: true,
          signal,
        });
        outgoing.once('response', (response) => {
          response.on('error', () => {}).resume();
          done(answerOf(response.statusCode ?? 0));
        });
        outgoing.on('error', (error: NodeJS.ErrnoException) =>
          done({ outcome: 'unavailable', reason: error.code ?? error.name }),
        );
        outgoing.end(lines.map((line) => `${line}\n`).join(''));
      }),
    close() {
      stopFollowing();
      closing.abort();
      agent.destroy();
    },
  };
}

function answerOf(status: number): CollectorAnswer {
  const reason = String(status);
  if (status >= 200 && status < 300) return { outcome: 'taken', reason };
  return { outcome: contentFaults.has(status) ? 'refused' : 'unavailable', reason };
}
