import { answered, type WireClient, type WireRequest } from '../wire/exchange.ts';

/** What `lanes` callers see who ask one after the other for `durationMs`. */
export async function latencies(
  lanes: readonly WireClient[],
  request: () => WireRequest,
  durationMs: number,
): Promise<{
  readonly p50: number;
  readonly p99: number;
  readonly count: number;
  readonly statuses: ReadonlySet<number>;
}> {
  const ms: number[] = [];
  const statuses = new Set<number>();
  const until = performance.now() + durationMs;
  await Promise.all(
    lanes.map(async (lane) => {
      while (performance.now() < until) {
        const answer = answered(await lane.send(request()));
        ms.push(answer.ms);
        statuses.add(answer.status);
      }
    }),
  );
  ms.sort((a, b) => a - b);
  const at = (share: number) => ms[Math.min(ms.length - 1, Math.floor(ms.length * share))] ?? 0;
  return { p50: at(0.5), p99: at(0.99), count: ms.length, statuses };
}
