import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { removeHome } from '../../mesh/home.ts';
import { type Mesh, startMesh } from '../../mesh/mesh.ts';
import type { Name } from '../../mesh/names.ts';
import { managementSetting } from '../../mesh/ports.ts';
import { dashboards } from '../dashboards/all.ts';
import { prometheusMetrics } from '../prometheus-names.ts';
import { readRules } from '../rules.ts';
import { type Prometheus, startPrometheus } from './prometheus.ts';
import { driveMore, driveTraffic } from './traffic.ts';
import { askedOf, judge, type Verdict } from './verdict.ts';

export interface CheckResult {
  readonly verdicts: readonly Verdict[];
  /** Metrics of the catalog that no process tells, with the processes that should. */
  readonly untold: readonly { readonly metric: string; readonly of: string }[];
  readonly ruleErrors: readonly string[];
}

export interface CheckOptions {
  /** How many go the whole way from the laboratory to the upload. */
  readonly people: number;
  readonly tell: (progress: string) => void;
  /** Ends the check early, in order. */
  readonly signal?: AbortSignal;
}

/** What is told in steps may stay below one, by the hour at which the check begins. */
const moreRounds = 3;

/** Values leave each second here; in production once a minute (decision 34). */
const flushSeconds = 1;

/** A mesh, traffic on it, and a Prometheus that is asked everything that dashboards and rules will ask. */
export async function runCheck({ people, tell, signal }: CheckOptions): Promise<CheckResult> {
  const folder = mkdtempSync(join(tmpdir(), 'cwa-dashboards-'));
  const home = join(folder, 'home');
  await using opened = new AsyncDisposableStack();
  opened.defer(() => {
    removeHome(home);
    rmSync(folder, { recursive: true, force: true });
  });
  tell('starting a mesh and Prometheus');
  const mesh = await startMesh({
    home,
    anyPorts: true,
    env: { TELEMETRY_FLUSH_SECONDS: String(flushSeconds), GATEWAY_ANSWER_FLOOR_MS: '100', GATEWAY_HOST: '127.0.0.1' },
  });
  opened.defer(() => mesh.close());
  await mesh.startProber({ PROBER_INTERVAL_SECONDS: '10', PROBER_EXPORT_POLL_SECONDS: '1' });
  const prometheus = await startPrometheus(folder, targetsOf(mesh));
  opened.defer(() => prometheus.close());
  signal?.throwIfAborted();
  await Promise.race([driveTraffic(mesh, people, tell), aborted(signal)]);
  for (let again = 0; ; again++) {
    tell('waiting for the last values, then asking');
    await delay(12_000, undefined, { signal });
    const result = await ask(prometheus);
    if (again === moreRounds || !result.verdicts.some(({ outcome }) => outcome === 'empty')) return result;
    tell('some stayed below their step: more people');
    await Promise.race([driveMore(mesh), aborted(signal)]);
  }
}

const aborted = (signal?: AbortSignal): Promise<never> =>
  new Promise((_, fail) => signal?.addEventListener('abort', () => fail(new Error('interrupted'))));

async function ask(prometheus: Prometheus): Promise<CheckResult> {
  const names = await prometheus.names();
  const verdicts: Verdict[] = [];
  for (const asked of askedOf(dashboards, readRules())) verdicts.push(await judge(asked, prometheus, names));
  const untold = prometheusMetrics()
    .filter(({ series }) => !series.some((name) => names.has(name)))
    .map(({ metric, definition: { of } }) => ({ metric, of: of === 'every process' ? of : of.join(', ') }));
  return { verdicts, untold, ruleErrors: await prometheus.ruleErrors() };
}

const targetsOf = (mesh: Mesh) =>
  [...mesh.processes.keys()].map((process) => ({
    process,
    port: mesh.ports[managementSetting(process as Name)],
  }));
