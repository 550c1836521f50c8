import { type Endpoint } from '../wire/endpoint.ts';
import type { WireClient, WireRequest } from '../wire/exchange.ts';
import { http1Client } from '../wire/http1.ts';
import { http2Client } from '../wire/http2.ts';
import { judge } from './answers.ts';
import type { Known } from './request-shape.ts';
import { partnerRequests, phoneRequests } from './requests.ts';
import { socketTarget, type Target } from './target.ts';
import type fc from 'fast-check';

const width = 24;

/** Requests that are HTTP, however odd they are, to both public ports over both versions. */
export function requestTargets(
  phones: Endpoint,
  partners: Endpoint,
  known: Known,
): { targets: Target[]; close(): void } {
  const clients: WireClient[] = [];
  const overHttp1 = (name: string, share: number, endpoint: Endpoint, inputs: fc.Arbitrary<WireRequest>): Target => {
    const lanes = Array.from({ length: width }, () => http1Client(endpoint));
    clients.push(...lanes);
    return socketTarget(name, share, width, inputs, async (request, lane) =>
      judge(request, await (lanes[lane] as WireClient).send(request)),
    );
  };
  const overHttp2 = (name: string, share: number, endpoint: Endpoint, inputs: fc.Arbitrary<WireRequest>): Target => {
    const lanes = Array.from({ length: width }, () => http2Client(endpoint));
    clients.push(...lanes);
    return socketTarget(name, share, width, inputs, async (request, lane) =>
      judge(request, await (lanes[lane] as WireClient).send(forHttp2(request))),
    );
  };
  const targets = [
    overHttp1('phone routes, HTTP/1.1', 20, phones, phoneRequests(known)),
    overHttp2('phone routes, HTTP/2', 20, phones, phoneRequests(known)),
    overHttp1('partner routes, HTTP/1.1', 8, partners, partnerRequests(known)),
    overHttp2('partner routes, HTTP/2', 8, partners, partnerRequests(known)),
  ];
  return { targets, close: () => clients.forEach((client) => client.close()) };
}

/** Headers that Node's client refuses to send over HTTP/2; the raw target sends them. */
const connectionHeaders = new Set(['connection', 'upgrade', 'te', 'transfer-encoding', 'host', 'expect']);

function forHttp2(request: WireRequest): WireRequest {
  const seen = new Set<string>();
  const headers = (request.headers ?? []).filter(([name]) => {
    if (connectionHeaders.has(name) || name === '__proto__' || seen.has(name)) return false;
    seen.add(name);
    return true;
  });
  return { ...request, headers };
}
