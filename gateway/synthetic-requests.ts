import { PROBE_HEADER, readProbeRequest } from '../lib/exposure/probe-request.ts';
import type { Clock } from '../lib/time/clock.ts';
import type { RequestHead } from './phone-route.ts';

/** Tells the prober's requests from those of people (decision 35). */
export interface SyntheticRequests {
  /** True once for each header that the prober made for this path. Ask once a request. */
  recognise(path: string, head: RequestHead): boolean;
}

/** Seconds by which the prober's clock may differ; a header is remembered as long as it could be used again. */
const skewSeconds = 60;
/** Headers remembered; beyond them a request is an ordinary one. Only the prober can fill this. */
const maxRemembered = 10_000;

/** Whatever is wrong with a header, nothing tells the caller: the request is one like any other. */
export function syntheticRequests(secret: string, clock: Pick<Clock, 'nowMs'>): SyntheticRequests {
  /** Second after which a nonce may be forgotten, in the order of arrival. */
  const used = new Map<string, number>();
  return {
    recognise(path, head) {
      const header = head.header(PROBE_HEADER);
      const mark = header === undefined ? undefined : readProbeRequest(secret, path, header);
      const nowSeconds = clock.nowMs() / 1_000;
      if (mark === undefined || Math.abs(nowSeconds - mark.seconds) > skewSeconds) return false;
      for (const [nonce, until] of used) {
        if (until >= nowSeconds) break;
        used.delete(nonce);
      }
      if (used.has(mark.nonce) || used.size >= maxRemembered) return false;
      used.set(mark.nonce, nowSeconds + 2 * skewSeconds);
      return true;
    },
  };
}
