import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { repositoryRoot } from '../mesh/child.ts';
import { removeHome } from '../mesh/home.ts';
import { anyPorts } from '../mesh/ports.ts';

/** Runs a command of the repository with its own home and free ports until it ends; interrupted when it says so. */
async function start(script: string, env: Record<string, string>, interruptAt?: string) {
  const home = mkdtempSync(join(tmpdir(), 'cwa-start-'));
  onTestFinished(() => removeHome(home));
  const ports = Object.fromEntries(Object.entries(await anyPorts()).map(([name, port]) => [name, String(port)]));
  const child = spawn(process.execPath, [script], {
    cwd: repositoryRoot,
    env: { PATH: process.env['PATH'], CWA_HOME: home, ...ports, ...env },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (!child.killed && interruptAt !== undefined && output.includes(interruptAt)) child.kill('SIGINT');
    });
  }
  const status = await new Promise<number | null>((done) => child.once('exit', done));
  return { status, output, home };
}

test('a taken port ends the start with one sentence that names the setting', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise((done) => taken.once('listening', done));
  onTestFinished(() => void taken.close());
  const port = String((taken.address() as { port: number }).port);
  const { status, output } = await start('dev/start.ts', { GATEWAY_PHONE_PORT: port });
  expect(output.trim()).toBe(
    `GATEWAY_PHONE_PORT: port ${port} is taken by another program; stop it or set GATEWAY_PHONE_PORT to a free port`,
  );
  expect(status).toBe(1);
});

test('an unreachable database ends the start with one sentence that names the setting', async () => {
  const { status, output } = await start('dev/start.ts', {
    SUBMISSION_DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
  });
  expect(output).toMatch(
    /^submission: SUBMISSION_DATABASE_URL: the database at 127\.0\.0\.1:1\/none cannot be used \(ECONNREFUSED\)/m,
  );
  expect(output).not.toMatch(/^\s+at /m);
  expect(status).toBe(1);
});

test('wrong settings are all reported at once, without their values', async () => {
  const { status, output } = await start('dev/start.ts', {
    GATEWAY_ANSWER_FLOOR_MS: 'secret-typed-here',
    GATEWAY_GATHER_ITEMS: '0',
  });
  expect(output).toMatch(/gateway: GATEWAY_ANSWER_FLOOR_MS: must be a whole number from 0 to 10000/);
  expect(output).toMatch(/gateway: GATEWAY_GATHER_ITEMS: must be a whole number from 1 to 1000/);
  expect(output).not.toContain('secret-typed-here');
  expect(status).toBe(1);
});

test('a missing certificate ends a process with one sentence that names the setting', async () => {
  const { status, output } = await start('svc/test-result/main.ts', {
    TEST_RESULT_DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
    TEST_RESULT_TLS_CERT_FILE: '/nowhere/test-result.crt',
    TEST_RESULT_TLS_KEY_FILE: '/nowhere/test-result.key',
    TEST_RESULT_TLS_CA_FILE: '/nowhere/ca.crt',
  });
  expect(output).toMatch(/^test-result: TEST_RESULT_TLS_CERT_FILE: .*ENOENT/m);
  expect(status).toBe(78);
});

test('an interrupted demo stops in order and does not say that every step held', async () => {
  const { status, output } = await start('dev/demo.ts', {}, 'starting PostgreSQL');
  expect(output).toMatch(/stopping …\nstopped\n$/);
  expect(status).toBe(1);
}, 120_000);

test('start says that it is ready, and stops everything on SIGTERM', async () => {
  const home = mkdtempSync(join(tmpdir(), 'cwa-start-'));
  onTestFinished(() => removeHome(home));
  const ports = Object.fromEntries(Object.entries(await anyPorts()).map(([name, port]) => [name, String(port)]));
  const child = spawn(process.execPath, ['dev/start.ts'], {
    cwd: repositoryRoot,
    env: { PATH: process.env['PATH'], CWA_HOME: home, ...ports },
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<number | null>((done) => child.once('exit', done));
  await expect.poll(() => output, { timeout: 180_000, interval: 200 }).toMatch(/^ready \d+\.\d s$/m);
  expect(readFileSync(join(home, 'ready'), 'utf8')).toBe('');
  const cwa = async (...args: string[]) => {
    const tool = spawn(process.execPath, ['dev/cwa.ts', ...args], {
      cwd: repositoryRoot,
      env: { PATH: process.env['PATH'], CWA_HOME: home, ...ports },
    });
    let text = '';
    tool.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await new Promise((done) => tool.once('exit', done));
    return text;
  };
  const before = JSON.parse(await cwa('clock', '--json')) as { now: string };
  const after = JSON.parse(await cwa('clock', 'advance', '3h', '--json')) as { now: string; distributionRuns: number };
  expect(Date.parse(after.now) - Date.parse(before.now)).toBeGreaterThanOrEqual(3 * 3_600_000);
  expect(after.distributionRuns).toBe(4);
  expect(await cwa('lab', 'report', 'ABCDEF-01234567-89AB-4CDE-8F01-23456789ABCD')).toBe('reported 1 × positive\n');

  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  expect(output).toMatch(/stopped\n$/);
  expect(() => readFileSync(join(home, 'ready'))).toThrow('ENOENT');
}, 300_000);
