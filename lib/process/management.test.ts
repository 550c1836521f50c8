import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { onTestFinished, expect, test } from 'vitest';
import { testTelemetry } from '../testing/telemetry.ts';
import { ConfigError } from './config.ts';
import { type ManagementOptions, startManagement } from './management.ts';

async function started(options: Partial<ManagementOptions> = {}) {
  const telemetry = await testTelemetry('submission');
  onTestFinished(() => telemetry.close());
  const management = await startManagement({
    port: 0,
    setting: 'X_MANAGEMENT_PORT',
    checks: {},
    telemetry,
    ...options,
  });
  await telemetry.registry.flush();
  onTestFinished(() => management.close());
  return (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${management.port}${path}`, init);
}

test('health tells live and ready as JSON', async () => {
  const get = await started({ checks: { database: async () => 1 } });
  expect(await (await get('/health/live')).json()).toEqual({ status: 'UP' });
  const ready = await get('/health/ready');
  expect([ready.status, await ready.json()]).toEqual([200, { status: 'UP', checks: { database: 'UP' } }]);
  expect((await get('/elsewhere')).status).toBe(404);
  expect((await get('/health/live', { method: 'POST' })).status).toBe(405);
});

test('metrics are served as Prometheus text, with what the process needs', async () => {
  const get = await started({ checks: { database: async () => 1, store: () => Promise.reject(new Error('down')) } });
  const text = await (await get('/metrics')).text();
  expect(text).toContain('cwa_dependency_up{cwa_dependency="database"} 1\n');
  expect(text).toContain('cwa_dependency_up{cwa_dependency="store"} 0\n');
  expect(text).toContain('submission_controller_requests_total{type="real"} 0\n');
  expect(text).toMatch(/target_info\{.*service_version="[0-9]/);
});

test('a failing or hanging check is DOWN, tells nothing of the error, and leaves liveness alone', async () => {
  const get = await started({
    checkTimeoutMs: 30,
    checks: {
      failing: () => Promise.reject(new Error('secret')),
      throwing: () => {
        throw new Error('secret');
      },
      hanging: () => new Promise(() => {}),
    },
  });
  const ready = await get('/health/ready');
  expect(ready.status).toBe(503);
  expect(await ready.json()).toEqual({
    status: 'DOWN',
    checks: { failing: 'DOWN', throwing: 'DOWN', hanging: 'DOWN' },
  });
  expect((await get('/health/live')).status).toBe(200);
});

test('many who ask at once are one look at what the process needs', async () => {
  let looks = 0;
  const database = async () => {
    looks++;
    await new Promise((done) => setTimeout(done, 200));
  };
  const get = await started({ checks: { database } });
  looks = 0;
  const answers = await Promise.all(Array.from({ length: 20 }, () => get('/health/ready')));
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
  expect(looks).toBeLessThanOrEqual(2);
});

test('a process that stops is not ready', async () => {
  const stopping = new AbortController();
  const get = await started({ stopping: stopping.signal });
  expect((await get('/health/ready')).status).toBe(200);
  stopping.abort();
  expect((await get('/health/ready')).status).toBe(503);
});

test('a taken port is a configuration fault that names the setting', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void other.close());
  await new Promise((done) => other.once('listening', done));
  const { port } = other.address() as AddressInfo;
  const failing = startManagement({
    port,
    setting: 'X_MANAGEMENT_PORT',
    checks: {},
    telemetry: await testTelemetry('submission'),
  });
  await expect(failing).rejects.toThrow(ConfigError);
  await expect(failing).rejects.toThrow(/^X_MANAGEMENT_PORT: .*EADDRINUSE/);
});
