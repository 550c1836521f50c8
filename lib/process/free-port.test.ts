import { createServer, type Server } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { freePort, isFree } from './free-port.ts';

const listening = async (port: number): Promise<Server> => {
  const server = createServer();
  onTestFinished(() => void server.close());
  await new Promise<void>((done, failed) => server.once('error', failed).listen(port, '127.0.0.1', done));
  return server;
};

test('of many ports asked for at once and in turn none comes twice, nor is one that a system gives to anybody', async () => {
  const ports: number[] = [];
  for (let turn = 0; turn < 10; turn++) ports.push(...(await Promise.all(Array.from({ length: 100 }, freePort))));
  expect(new Set(ports).size).toBe(1_000);
  // Linux gives 32768 and above, others 49152.
  expect(Math.max(...ports)).toBeLessThan(32_768);
});

test('a port can be opened, and is not free then', async () => {
  const port = await freePort();
  expect(await isFree(port)).toBe(true);
  await listening(port);
  expect(await isFree(port)).toBe(false);
});
