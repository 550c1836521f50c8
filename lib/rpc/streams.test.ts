import { SpanKind } from '@opentelemetry/api';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import {
  DiagnosisKeyServiceService,
  StreamDiagnosisKeysRequest,
  StreamDiagnosisKeysResponse,
} from '../../gen/mesh/cwa/submission/v1/submission.ts';
import { breakableLink } from '../testing/breakable-link.ts';
import { type TestServer, serve } from '../testing/rpc.ts';
import { recordedSpans } from '../testing/spans.ts';
import { inTrace } from '../telemetry/tracing.ts';
import { systemClock } from '../time/clock.ts';
import type { Call, Client } from './api.ts';
import { clientOf } from './client.ts';
import { RpcError, unavailable } from './errors.ts';
import { bind } from './server.ts';

const name = 'cwa.submission.v1.DiagnosisKeyService';
const request = StreamDiagnosisKeysRequest.fromPartial({});
const chunk = (bytes = 1): StreamDiagnosisKeysResponse =>
  StreamDiagnosisKeysResponse.fromPartial({ keyData: Buffer.alloc(bytes) });

let server: TestServer;
let client: Client<typeof DiagnosisKeyServiceService>;
let streamDiagnosisKeys: (call: Call) => AsyncIterable<StreamDiagnosisKeysResponse>;

beforeAll(async () => {
  const handlers = { streamDiagnosisKeys: (_request: unknown, call: Call) => streamDiagnosisKeys(call) };
  server = await serve('submission', [bind(name, DiagnosisKeyServiceService, handlers)]);
  client = clientOf(await server.channel('distribution'), name, DiagnosisKeyServiceService, { deadlineMs: 200 });
});
afterAll(() => server.stop());
afterEach(() => {
  server.log.lines.length = 0;
});

async function* chunks(length: number): AsyncGenerator<StreamDiagnosisKeysResponse> {
  for (let i = 0; i < length; i++) yield chunk();
}

async function count(messages: AsyncIterable<unknown>): Promise<number> {
  let seen = 0;
  for await (const _message of messages) seen++;
  return seen;
}

test.each([0, 1, 1_000])('a stream of %i messages arrives whole', async (sent) => {
  streamDiagnosisKeys = () => chunks(sent);
  expect(await count(client.streamDiagnosisKeys(request))).toBe(sent);
});

test("the unary deadline does not cut a stream, the caller's does", async () => {
  streamDiagnosisKeys = async function* () {
    for (let i = 0; i < 6; i++) {
      yield chunk();
      await systemClock.sleep(60);
    }
  };
  expect(await count(client.streamDiagnosisKeys(request))).toBe(6);
  const cut = count(client.streamDiagnosisKeys(request, { deadline: systemClock.monotonicMs() + 200 }));
  await expect(cut).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
});

test('a slow reader holds the handler back', async () => {
  let made = 0;
  streamDiagnosisKeys = async function* () {
    for (; made < 200; made++) yield chunk(256 * 1024);
  };
  const messages = client.streamDiagnosisKeys(request)[Symbol.asyncIterator]();
  await messages.next();
  await systemClock.sleep(300);
  // 16 messages in the reader's buffer, 1 MiB on the way, one written and one made.
  expect(made).toBeLessThan(30);
  let seen = 1;
  while (!(await messages.next()).done) seen++;
  expect(seen).toBe(200);
});

test('when the reader stops, the handler is stopped and its signal aborted', async () => {
  const stopped = Promise.withResolvers<unknown>();
  streamDiagnosisKeys = async function* (call) {
    const { signal } = call;
    try {
      for (;;) {
        yield chunk();
        await systemClock.sleep(1);
      }
    } finally {
      stopped.resolve(signal.aborted);
    }
  };
  for await (const _message of client.streamDiagnosisKeys(request)) break;

  expect(await stopped.promise).toBe(true);
  expect(server.log.lines).toEqual([]);
});

test('a handler that waits hears of the stop through its signal', async () => {
  const stopped = Promise.withResolvers<void>();
  streamDiagnosisKeys = async function* (call) {
    yield chunk();
    await systemClock.sleep(60_000, call.signal).finally(stopped.resolve);
  };
  for await (const _message of client.streamDiagnosisKeys(request)) break;

  await stopped.promise;
  await systemClock.sleep(10);
  expect(server.log.lines).toEqual([]);
});

test("a signal of the caller's ends the stream", async () => {
  streamDiagnosisKeys = async function* (call) {
    yield chunk();
    await systemClock.sleep(60_000, call.signal);
  };
  const controller = new AbortController();
  const read = async (): Promise<void> => {
    for await (const _message of client.streamDiagnosisKeys(request, { signal: controller.signal })) controller.abort();
  };
  await expect(read()).rejects.toMatchObject({ code: 'CANCELLED' });
});

test('an error in the middle comes after the messages before it', async () => {
  streamDiagnosisKeys = async function* () {
    yield* chunks(3);
    throw new RpcError('FAILED_PRECONDITION', 'CURSOR_UNKNOWN');
  };
  let seen = 0;
  const read = async (): Promise<void> => {
    for await (const _message of client.streamDiagnosisKeys(request)) seen++;
  };
  await expect(read()).rejects.toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'CURSOR_UNKNOWN' });
  expect(seen).toBe(3);
});

test('an unexpected error leaves as INTERNAL and is logged', async () => {
  streamDiagnosisKeys = async function* () {
    yield chunk();
    throw new TypeError('key 4711');
  };
  await expect(count(client.streamDiagnosisKeys(request))).rejects.toMatchObject({ code: 'INTERNAL' });
  expect(server.log.lines).toMatchObject([{ event: 'rpc-failed', errorName: 'TypeError' }]);
  expect(JSON.stringify(server.log.lines)).not.toContain('4711');
});

test('an idempotent stream is begun anew before its first message, never after', async () => {
  let attempts = 0;
  streamDiagnosisKeys = async function* () {
    if (++attempts === 1) throw unavailable('DATABASE');
    yield* chunks(2);
  };
  expect(await count(client.streamDiagnosisKeys(request))).toBe(2);
  expect(attempts).toBe(2);

  attempts = 0;
  streamDiagnosisKeys = async function* () {
    attempts++;
    yield* chunks(2);
    throw unavailable('DATABASE');
  };
  await expect(count(client.streamDiagnosisKeys(request))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(attempts).toBe(1);
});

test('a stream continues the trace of its caller by the span of its handler alone: reading may end at any time', async () => {
  const spans = recordedSpans();
  streamDiagnosisKeys = () => chunks(3);
  await inTrace('ingest-keys', {}, () => count(client.streamDiagnosisKeys(request)));
  await expect.poll(() => spans.all().map(spans.path)).toHaveLength(2);
  expect(spans.all().map(spans.path).sort()).toEqual(['ingest-keys', `ingest-keys > ${name}/StreamDiagnosisKeys`]);
  expect(spans.all().find(({ name }) => name.endsWith('Keys'))).toMatchObject({ kind: SpanKind.SERVER });

  spans.forget();
  await count(client.streamDiagnosisKeys(request));
  expect(spans.all()).toEqual([]);
});

test('a broken connection in the middle is an error, not an early end', async () => {
  const link = await breakableLink(server.port);
  streamDiagnosisKeys = async function* (call) {
    yield chunk();
    link.cut();
    await systemClock.sleep(60_000, call.signal);
  };
  const channel = await server.channel('distribution', { address: link.address });
  const broken = count(clientOf(channel, name, DiagnosisKeyServiceService).streamDiagnosisKeys(request));

  await expect(broken).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await link.close();
});
