import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestPki, testPki } from '../../lib/testing/pki.ts';
import { readSecurityEvents, type SecurityCollector, startSecurityCollector } from './collector.ts';

let pki: TestPki;
let folder: string;
let collector: SecurityCollector;
beforeAll(async () => {
  pki = await testPki();
  folder = mkdtempSync(join(tmpdir(), 'cwa-collector-'));
  collector = await start();
});
afterAll(async () => {
  await collector.pause();
  pki.remove();
  rmSync(folder, { recursive: true, force: true });
});

const tlsOf = async (name: string, from = pki) => {
  const files = await from.files(name);
  return { cert: readFileSync(files.certFile), key: readFileSync(files.keyFile), ca: readFileSync(files.caFile) };
};

const start = async () =>
  startSecurityCollector({ tls: await tlsOf('security-collector'), file: join(folder, 'events.ndjson') });

async function post(body: string, tls: object = {}, type = 'application/x-ndjson'): Promise<number | string> {
  const options = {
    method: 'POST',
    agent: false,
    headers: { 'content-type': type },
    ...(await tlsOf('gateway')),
    ...tls,
  };
  return new Promise((done) => {
    request(collector.url, options, (response) => done(response.resume().statusCode ?? 0))
      .on('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.name))
      .end(body);
  });
}

const event = (id: string, process = 'gateway') =>
  `${JSON.stringify({ id, time: '2026-01-01T00:00:00.000Z', process, type: 'process-started', count: 1 })}\n`;
const ids = () => readSecurityEvents(collector.file).map(({ id }) => id);

test('an event is kept once, however often it comes, also after a restart', async () => {
  expect(await post(event('a') + event('b'))).toBe(204);
  expect(await post(event('b') + event('c'))).toBe(204);
  await collector.pause();
  collector = await start();
  expect(await post(event('c') + event('d'))).toBe(204);
  expect(ids()).toEqual(['a', 'b', 'c', 'd']);
});

test('who has no certificate of the CA is not heard, and nobody speaks for another', async () => {
  const before = ids();
  const stranger = await testPki('another CA');
  const { cert, key } = await tlsOf('gateway', stranger);
  stranger.remove();
  expect(await post(event('x'), { cert, key })).toMatch(/^E/);
  expect(await post(event('x'), { cert: undefined, key: undefined })).toMatch(/^E/);
  expect(await post(event('x'), await tlsOf('submission'))).toBe(403);
  expect(await post(event('x'), await tlsOf('lab', pki))).toBe(403);
  expect(ids()).toEqual(before);
});

test('what is no list of events is refused', async () => {
  expect(await post('{"id":"y"}\n')).toBe(400);
  expect(await post('not JSON\n')).toBe(400);
  expect(await post(event('y'), {}, 'application/json')).toBe(415);
  expect(await post('x'.repeat(1_100_000))).toBe(413);
});

test('it comes back under the same address', async () => {
  await collector.pause();
  expect(await post(event('z'))).toMatch(/^E/);
  await collector.resume();
  expect(await post(event('z'))).toBe(204);
});
