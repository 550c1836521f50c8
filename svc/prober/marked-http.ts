import { PROBE_HEADER, signProbeRequest } from '../../lib/exposure/probe-request.ts';
import type { Random } from '../../lib/random/random.ts';
import type { Clock } from '../../lib/time/clock.ts';
import type { Http } from '../../phone/http.ts';

/** `http` whose requests all show the gateway that they are synthetic (decision 35). */
export function markedHttp(http: Http, secret: string, clock: Pick<Clock, 'nowMs'>, random: Random): Http {
  return (request) => {
    const mark = { seconds: Math.floor(clock.nowMs() / 1_000), nonce: random.bytes(16).toString('hex') };
    const header = signProbeRequest(secret, request.path, mark);
    return http({ ...request, headers: { ...request.headers, [PROBE_HEADER]: header } });
  };
}
