import type { StoredResult } from '../../gen/mesh/cwa/test_result/v1/test_result.ts';
import type { Call } from '../../lib/rpc/api.ts';
import { RpcError } from '../../lib/rpc/errors.ts';
import type { Deps } from './deps.ts';

/** What test-result holds for the hashes, by one call; undefined when it did not answer. */
export async function lookUpHashes(
  d: Deps,
  hashes: readonly string[],
  call: Call,
): Promise<Map<string, StoredResult> | undefined> {
  const ids = [...new Set(hashes)];
  if (ids.length === 0) return new Map();
  try {
    const { results } = await d.testResult.getResults({ ids }, call);
    return new Map(results.map((result, i) => [ids[i] as string, result]));
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    report(d, error);
    return undefined;
  }
}

const reportEveryMs = 60_000;
const reportedAt = new WeakMap<Deps, number>();

/** Once a minute: a line for each call would be a time-stamped phone (decision 34). */
function report(d: Deps, { code, reason }: RpcError): void {
  const now = d.clock.monotonicMs();
  if (now - (reportedAt.get(d) ?? Number.NEGATIVE_INFINITY) < reportEveryMs) return;
  reportedAt.set(d, now);
  d.log.warn('test-result-unavailable', { status: code, reason });
}
