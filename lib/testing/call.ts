import type { ProcessName } from '../rpc/communication-matrix.ts';
import type { Call } from '../rpc/api.ts';

/** A call as a handler sees it, with a deadline far away. */
export function aCall(peer: ProcessName = 'gateway'): Call {
  return { signal: new AbortController().signal, deadline: Number.POSITIVE_INFINITY, peer };
}
