import { createServer, type ServerResponse } from 'node:http';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { AddressInfo } from 'node:net';
import { ConfigError } from './config.ts';

/** Resolves when what it looks at can be used; what it rejects with is not shown. */
export type ReadinessCheck = () => Promise<unknown>;

export interface ManagementOptions {
  readonly port: number;
  /** Loopback unless said otherwise: plain HTTP is for probes and scrapers beside the process, never for callers. */
  readonly host?: string;
  readonly checks: Readonly<Record<string, ReadinessCheck>>;
  /** Answers `/metrics`, and is told what the process needs and whether it can be used. */
  readonly telemetry: Pick<Telemetry, 'metrics' | 'answerMetrics'>;
  /** Name of the setting that holds the port, for the message when it is taken. */
  readonly setting: string;
  /** Longest time in ms for one readiness check. */
  readonly checkTimeoutMs?: number;
  /** Once aborted the process is no longer ready, so that no new work is sent to it. */
  readonly stopping?: AbortSignal;
}

/**
 * Serves `/health/live` and `/health/ready` as JSON, and `/metrics`. None is logged. Throws ConfigError when the port is
 * taken.
 */
export async function startManagement(options: ManagementOptions): Promise<{ port: number; close(): Promise<void> }> {
  const { host = '127.0.0.1', checkTimeoutMs = 2_000, checks, telemetry, stopping } = options;
  const look = shared(() => readiness(checks, checkTimeoutMs));
  telemetry.metrics.observe('cwa.dependency.up', async () => readingsOf(await look()));
  const server = createServer((request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return answer(response, 405);
    if (request.url === '/health/live') return answer(response, 200, { status: 'UP' });
    if (request.url === '/metrics') return telemetry.answerMetrics(request, response);
    if (request.url !== '/health/ready') return answer(response, 404);
    void look().then((states) => {
      const up = stopping?.aborted !== true && Object.values(states).every((state) => state === 'UP');
      answer(response, up ? 200 : 503, { status: up ? 'UP' : 'DOWN', checks: states });
    });
  });
  await new Promise<void>((done, failed) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      failed(
        new ConfigError([`${options.setting}: cannot listen on ${host}:${options.port} (${error.code ?? error.name})`]),
      ),
    );
    server.listen(options.port, host, done);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

async function readiness(
  checks: ManagementOptions['checks'],
  timeoutMs: number,
): Promise<Record<string, 'UP' | 'DOWN'>> {
  const states = Object.entries(checks).map(async ([name, check]) => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'DOWN'>((resolve) => {
      timer = setTimeout(resolve, timeoutMs, 'DOWN');
    });
    // A check may also throw before it returns a promise.
    const state = Promise.resolve()
      .then(check)
      .then(
        () => 'UP' as const,
        () => 'DOWN' as const,
      );
    const first = await Promise.race([state, late]);
    clearTimeout(timer);
    return [name, first] as const;
  });
  return Object.fromEntries(await Promise.all(states));
}

/**
 * Whoever asks during a look is told its outcome. Otherwise many who ask at once would use up what is looked at, and
 * could fill a limit to just below a step, in which the next phone would be seen.
 */
function shared<T>(look: () => Promise<T>): () => Promise<T> {
  let looking: Promise<T> | undefined;
  return () =>
    (looking ??= look().finally(() => {
      looking = undefined;
    }));
}

function answer(response: ServerResponse, status: number, body?: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(body === undefined ? '' : JSON.stringify(body));
}

const readingsOf = (states: Readonly<Record<string, 'UP' | 'DOWN'>>) =>
  Object.entries(states).map(([name, state]) => ({
    attributes: { 'cwa.dependency': name },
    value: state === 'UP' ? 1 : 0,
  }));
