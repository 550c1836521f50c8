import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ConfigError } from '../../lib/process/config.ts';

export const repositoryRoot = join(import.meta.dirname, '..', '..');

/** One process of the local mesh. */
export interface MeshProcess {
  readonly name: string;
  readonly pid: number;
  /** How it was started, for a second replica of it. */
  readonly options: ChildOptions;
  /** Resolves with the exit status once the process has ended, whoever ended it. */
  readonly ended: Promise<number | null>;
  stop(): Promise<void>;
  /** SIGKILL, for fault tests. */
  kill(): Promise<void>;
}

export interface ChildOptions {
  readonly name: string;
  /** Relative to the repository root. */
  readonly script: string;
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
  /** Answers 200 once the process can serve; `anyAnswer` for a server that has no health page. */
  readonly readyUrl: string;
  readonly anyAnswer?: boolean;
  readonly nodeFlags?: readonly string[];
}

/**
 * Starts one process and returns when it is ready. When it ends before that, its own sentences become the error.
 * The process leads its own group: an interrupt at the terminal reaches `dev`, which stops everything in order.
 */
export async function startProcess(options: ChildOptions): Promise<MeshProcess> {
  const child = spawn(process.execPath, [...(options.nodeFlags ?? []), options.script], {
    cwd: repositoryRoot,
    env: { PATH: process.env['PATH'] ?? '', STOP_WITH_STDIN: 'true', ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  const log = createWriteStream(options.logFile, { flags: 'a', mode: 0o600 });
  child.stdout.pipe(log);
  let complaints = '';
  child.stderr.on('data', (chunk: Buffer) => {
    log.write(chunk);
    complaints = (complaints + chunk.toString()).slice(-4_000);
  });
  const ended = new Promise<number | null>((done) => child.once('exit', (code) => done(code)));
  await untilReady(options, child, () => complaints);
  return {
    name: options.name,
    pid: child.pid ?? 0,
    options,
    ended,
    async stop() {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await ended;
      clearTimeout(timer);
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

async function untilReady(options: ChildOptions, child: ChildProcess, complaints: () => string): Promise<void> {
  for (let tries = 0; tries < 2_400; tries++) {
    if (child.exitCode !== null || child.signalCode !== null) {
      const text = complaints().trim() || `${options.name}: ended before it was ready; see ${options.logFile}`;
      throw new ConfigError(text.split('\n').slice(-5));
    }
    const answer = await fetch(options.readyUrl).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok || (answer && options.anyAnswer)) return;
    await delay(25);
  }
  child.kill('SIGKILL');
  throw new ConfigError([`${options.name}: not ready after a minute; see ${options.logFile}`]);
}
