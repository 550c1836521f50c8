import type { GetMetricsResponse } from '../../gen/mesh/cwa/metrics/v1/metrics.ts';
import type { ProcessName } from '../../lib/rpc/communication-matrix.ts';
import type { Log } from '../../lib/telemetry/log.ts';
import { type Metrics, silentMetrics } from '../../lib/telemetry/metrics.ts';
import type { Clock } from '../../lib/time/clock.ts';
import { type Kept, keptOfEvery } from '../history/kept.ts';
import type { History } from '../history/history.ts';
import type { Service } from '../schema/context.ts';
import { type Fleet, type Instance, isAwaited } from './fleet.ts';

/** Where a process is asked: each of its replicas, under a name that stays the same while the replica does. */
export interface Source {
  readonly process: ProcessName;
  replicas(): Promise<readonly { readonly key: string; ask(): Promise<GetMetricsResponse> }[]>;
}

export interface PollDeps {
  readonly sources: readonly Source[];
  readonly services: readonly Service[];
  readonly fleet: Fleet;
  readonly history: History;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** What is kept of a process: the same of every one, and what the files of `services/` name. */
function keptOf(services: readonly Service[], process: ProcessName): readonly Kept[] {
  const own = services
    .filter((service) => service.process === process)
    .flatMap(({ keeps, load }) => [...keeps, ...(load ? [load] : [])]);
  const byMetric = new Map([...keptOfEvery, ...own].map((kept) => [kept.metric, kept]));
  return [...byMetric.values()];
}

/** Asks every replica of every process once. One that does not answer is down; what it told before is kept. */
export async function pollAll(deps: PollDeps): Promise<void> {
  await Promise.all(deps.sources.map((source) => poll(deps, source)));
}

/** Looks for newcomers every two seconds. No job like others: it mostly has nothing to do, and nobody wants a trace of that. */
export async function awaitNewcomers(deps: PollDeps, stopping: AbortSignal): Promise<void> {
  while (!stopping.aborted) {
    await pollNewcomers(deps);
    // Rejected by the signal alone.
    await deps.clock.sleep(2_000, stopping).catch(() => {});
  }
}

/** Asks those again who have not answered yet, so that what starts beside us is seen, and its counts from the first on. */
export async function pollNewcomers(deps: PollDeps): Promise<void> {
  const nowMs = deps.clock.monotonicMs();
  const awaited = (instance: Instance): boolean => isAwaited(instance, nowMs);
  const sources = deps.sources.filter(({ process }) => deps.fleet.get(process)?.instances.some(awaited));
  // That they are not there yet is expected: no failed poll.
  await Promise.all(sources.map((source) => poll({ ...deps, metrics: silentMetrics }, source, awaited)));
}

async function poll(deps: PollDeps, source: Source, isAsked = (_known: Instance): boolean => true): Promise<void> {
  const { fleet, clock, log, metrics } = deps;
  const before = new Map(fleet.get(source.process)?.instances.map((instance) => [instance.key, instance]));
  const replicas = await source.replicas().catch(() => []);
  if (replicas.length === 0) {
    metrics.count('cwa.ops.polls', { 'cwa.service': source.process, 'cwa.outcome': 'failed' });
    fleet.set(
      source.process,
      [...before.values()].map((instance) => ({ ...instance, up: false })),
    );
    return;
  }
  const kept = keptOf(deps.services, source.process);
  const taken = new Set<string>();
  const polled = await Promise.all(
    replicas.map(async ({ key, ask }): Promise<Instance> => {
      const known = before.get(key);
      if (known && !isAsked(known)) {
        taken.add(known.answer?.process?.instance ?? '');
        return known;
      }
      const answer = await ask().catch(() => undefined);
      const outcome = answer === undefined ? 'failed' : 'done';
      metrics.count('cwa.ops.polls', { 'cwa.service': source.process, 'cwa.outcome': outcome });
      if (answer === undefined) {
        if (known?.up) log.warn('process-silent', { process: source.process });
        const awaited = known?.answer === undefined && { awaitedSinceMs: known?.awaitedSinceMs ?? clock.monotonicMs() };
        return { ...known, key, up: false, ...awaited };
      }
      // Another process behind the address would tell its figures under a wrong name.
      if (answer.process?.name !== source.process) return { key, up: false };
      // One replica with two addresses counts once.
      if (!taken.has(answer.process.instance)) deps.history.take(source.process, kept, answer, clock.nowMs());
      taken.add(answer.process.instance);
      return { key, answer, up: true, lastSeenMs: clock.nowMs() };
    }),
  );
  fleet.set(source.process, polled);
}
