import { existsSync, rmSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { ConfigError } from '../../lib/process/config.ts';

/** What `npx cwa …` may ask of a running mesh. */
export interface ControlApi {
  clock(): { now: string; systemNow: string; offsetMs: number };
  /** Moves the clock by `ms`; answers when every distribution run then due has finished, or `signal` stops it. */
  advance(ms: number, signal: AbortSignal): Promise<{ now: string; distributionRuns: number }>;
  /** Where distribution keeps its rows. */
  distributionDatabase(): { url: string };
  runDistribution(): Promise<object>;
}

/** A socket path may hold about 100 bytes; a deep home gets a short name in the temporary folder instead. */
function controlSocket(home: string): string {
  const path = join(home, 'control.sock');
  if (Buffer.byteLength(path) < 100) return path;
  return join(tmpdir(), `cwa-${createHash('sha256').update(home).digest('hex').slice(0, 16)}.sock`);
}

/** Serves the control API on a socket that only the owner of the home can reach. */
export async function serveControl(home: string, api: ControlApi): Promise<() => Promise<void>> {
  const path = controlSocket(home);
  rmSync(path, { force: true });
  const server = createServer(async (incoming, answer) => {
    const reply = (status: number, body: unknown) => {
      answer.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    try {
      const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://control');
      if (incoming.method === 'GET' && pathname === '/clock') reply(200, api.clock());
      else if (incoming.method === 'POST' && pathname === '/clock/advance') {
        const gone = new AbortController();
        answer.once('close', () => gone.abort(new Error('the caller has gone')));
        reply(200, await api.advance(Number(searchParams.get('ms')), gone.signal));
      } else if (incoming.method === 'GET' && pathname === '/distribution/database') {
        reply(200, api.distributionDatabase());
      } else if (incoming.method === 'POST' && pathname === '/distribution/run') {
        reply(200, await api.runDistribution());
      } else reply(404, { error: 'unknown request' });
    } catch (error) {
      reply(500, { error: error instanceof Error ? error.message : 'failed' });
    }
  });
  await new Promise<void>((done) => server.listen(path, done));
  return async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
    rmSync(path, { force: true });
  };
}

/** Asks the running mesh of `home`; a missing mesh is reported with its remedy. */
export async function askControl<T>(home: string, method: 'GET' | 'POST', path: string): Promise<T> {
  const socketPath = controlSocket(home);
  const missing = new ConfigError([`no mesh is running in ${home}: start it with npm start`]);
  if (!existsSync(socketPath)) throw missing;
  const { status, text } = await new Promise<{ status: number; text: string }>((done, fail) => {
    const sent = request({ socketPath, method, path }, (answer) => {
      let text = '';
      answer.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      answer.on('end', () => done({ status: answer.statusCode ?? 0, text }));
    });
    sent.on('error', () => fail(missing));
    sent.end();
  });
  const body = JSON.parse(text) as T & { error?: string };
  if (status !== 200) throw new Error(body.error ?? `control request failed with status ${status}`);
  return body;
}
