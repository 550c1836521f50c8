import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { stringify } from 'yaml';
import { ConfigError } from '../../../lib/process/config.ts';
import { freePort } from '../../../lib/process/free-port.ts';
import { ruleFiles, rulesFolder } from '../rules.ts';

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A Prometheus of its own, gone with its data when it is closed. */
export interface Prometheus {
  /** An instant query; throws with what Prometheus says of an expression that is none. */
  query(expression: string): Promise<readonly Sample[]>;
  /** What rules could not be evaluated, with the reason. */
  ruleErrors(): Promise<readonly string[]>;
  /** Names of all series it has. */
  names(): Promise<ReadonlySet<string>>;
  close(): Promise<void>;
}

export interface Target {
  readonly process: string;
  readonly port: number;
}

/** Seconds between scrapes, and between evaluations of rules: a check has no minutes to wait. */
const everySeconds = 1;
const rulesEverySeconds = 3;

/** Debian's package `prometheus`; throws ConfigError where it is missing. */
export async function startPrometheus(folder: string, targets: readonly Target[]): Promise<Prometheus> {
  if (spawnSync('prometheus', ['--version']).status !== 0) {
    throw new ConfigError(['prometheus: is not installed; on Debian: apt-get install prometheus']);
  }
  const port = await freePort();
  const config = writeConfig(folder, targets);
  const child = spawn(
    'prometheus',
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=warn',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let complaints = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaints = (complaints + chunk.toString()).slice(-4_000);
  });
  const ended = new Promise<void>((done) => child.once('exit', () => done()));
  const close = async () => {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await ended;
    clearTimeout(timer);
  };
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; !(await isReady(url)); tries++) {
    if (child.exitCode !== null || tries > 300) {
      await close();
      throw new Error(`prometheus did not start: ${complaints}`);
    }
    await delay(100);
  }
  return {
    query: async (expression) => samplesOf(await ask(url, `query?query=${encodeURIComponent(expression)}`)),
    ruleErrors: async () => errorsOf(await ask(url, 'rules')),
    names: async () => new Set((await ask(url, 'label/__name__/values')) as string[]),
    close,
  };
}

/** The rules as they are, but for their interval; every process under the name of its job. */
function writeConfig(folder: string, targets: readonly Target[]): string {
  mkdirSync(join(folder, 'rules'), { recursive: true });
  for (const file of ruleFiles()) {
    const text = readFileSync(join(rulesFolder, file), 'utf8');
    writeFileSync(join(folder, 'rules', file), text.replaceAll('interval: 1m', `interval: ${rulesEverySeconds}s`));
  }
  const file = join(folder, 'prometheus.yaml');
  writeFileSync(
    file,
    stringify({
      global: { scrape_interval: `${everySeconds}s`, evaluation_interval: `${rulesEverySeconds}s` },
      rule_files: [join(folder, 'rules', '*.yaml')],
      scrape_configs: targets.map(({ process, port }) => ({
        job_name: process,
        static_configs: [{ targets: [`127.0.0.1:${port}`] }],
      })),
    }),
  );
  return file;
}

async function isReady(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/-/ready`).catch(() => undefined);
  await answer?.body?.cancel();
  return answer?.ok === true;
}

async function ask(url: string, path: string): Promise<unknown> {
  const answer = await fetch(`${url}/api/v1/${path}`);
  const { status, data, error } = (await answer.json()) as { status: string; data: unknown; error?: string };
  if (status !== 'success') throw new Error(error ?? `prometheus answered ${answer.status}`);
  return data;
}

function samplesOf(data: unknown): Sample[] {
  const { result } = data as { result: readonly { metric: Record<string, string>; value: [number, string] }[] };
  return result.map(({ metric, value }) => ({ labels: metric, value: numberOf(value[1]) }));
}

const numberOf = (text: string): number => Number(text.replace('Inf', 'Infinity'));

function errorsOf(data: unknown): string[] {
  const { groups } = data as {
    groups: readonly { rules: readonly { name: string; health: string; lastError?: string }[] }[];
  };
  return groups.flatMap(({ rules }) =>
    rules.flatMap(({ name, health, lastError }) => (health === 'err' ? [`${name}: ${lastError ?? 'failed'}`] : [])),
  );
}
