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
    d.log.warn('test-result-unavailable', { status: error.code, reason: error.reason });
    return undefined;
  }
}
