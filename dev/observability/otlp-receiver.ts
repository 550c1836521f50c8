import { appendFileSync, mkdirSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { type LogRecord, logsOf, type MetricPoint, pointsOf, type SpanRecord, spansOf } from './otlp-records.ts';

/** Takes what processes send over OTLP, and keeps it in plain objects. */
export interface OtlpReceiver {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly endpoint: string;
  readonly spans: readonly SpanRecord[];
  readonly logs: readonly LogRecord[];
  /** Every flush sends every row anew; `latest` has the rows of the last one. */
  readonly points: readonly MetricPoint[];
  /** The bodies as they came, uncompressed: they also hold what the records leave out. */
  readonly bodies: readonly Buffer[];
  /** The newest row of each service and each set of attributes. */
  latest(name: string): MetricPoint[];
  /** Resolves as soon as `look` finds something; rejects after `limitMs` (default 10 s of real time). */
  until<T>(look: () => T | undefined | false, limitMs?: number): Promise<T>;
  clear(): void;
  close(): Promise<void>;
}

export interface OtlpReceiverOptions {
  /** Default: any free one, on loopback. */
  readonly port?: number;
  /** Records are also appended there as JSON lines: `traces.ndjson`, `metrics.ndjson`, `logs.ndjson`. */
  readonly folder?: string;
  /** Of spans, of log records, of points and of bodies each so many are kept; the oldest go. Default 200,000. */
  readonly kept?: number;
}

/** Receives over plain HTTP on loopback, for development and tests. */
export async function startOtlpReceiver(options: OtlpReceiverOptions = {}): Promise<OtlpReceiver> {
  const { port = 0, folder, kept = 200_000 } = options;
  if (folder !== undefined) mkdirSync(folder, { recursive: true, mode: 0o700 });
  const spans: SpanRecord[] = [];
  const logs: LogRecord[] = [];
  const points: MetricPoint[] = [];
  const bodies: Buffer[] = [];
  const keep = <T>(list: T[], records: readonly T[], signal?: string) => {
    for (const record of records) list.push(record);
    if (list.length > kept) list.splice(0, list.length - kept);
    if (signal === undefined || folder === undefined || records.length === 0) return;
    appendFileSync(join(folder, `${signal}.ndjson`), records.map((record) => `${JSON.stringify(record)}\n`).join(''), {
      mode: 0o600,
    });
  };
  const routes: Readonly<Record<string, (body: Buffer) => void>> = {
    '/v1/traces': (body) => keep(spans, spansOf(body), 'traces'),
    '/v1/metrics': (body) => keep(points, pointsOf(body), 'metrics'),
    '/v1/logs': (body) => keep(logs, logsOf(body), 'logs'),
  };

  const server = createServer(async (request, response) => {
    const take = routes[request.url ?? ''];
    if (take === undefined) return answer(response, 404);
    if (request.method !== 'POST') return answer(response, 405);
    if (request.headers['content-type'] !== 'application/x-protobuf') return answer(response, 415);
    try {
      const body = await bodyOf(request);
      take(body);
      keep(bodies, [body]);
      return answer(response, 200);
    } catch {
      return answer(response, 400);
    }
  });
  await new Promise<void>((done, failed) => server.once('error', failed).listen(port, '127.0.0.1', done));

  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    logs,
    points,
    bodies,
    latest: (name) => newest(points.filter((point) => point.name === name)),
    async until(look, limitMs = 10_000) {
      for (const end = performance.now() + limitMs; performance.now() < end; await delay(20)) {
        const found = look();
        if (found) return found;
      }
      throw new Error('what was waited for has not been received');
    },
    clear() {
      for (const list of [spans, logs, points, bodies]) list.length = 0;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  return request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
}

/** An empty body is the empty answer of each of the three services: everything was taken. */
function answer(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-type': 'application/x-protobuf' }).end();
}

function newest(points: readonly MetricPoint[]): MetricPoint[] {
  const rows = new Map(
    points.map((point) => [
      JSON.stringify([point.service, point.resource['service.instance.id'], point.attributes]),
      point,
    ]),
  );
  return [...rows.values()];
}
