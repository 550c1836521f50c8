import type { Endpoint } from '../wire/endpoint.ts';
import { answered, type WireAnswer, type WireClient, type WireRequest } from '../wire/exchange.ts';
import { http1Client } from '../wire/http1.ts';
import { http2Client } from '../wire/http2.ts';
import { type Secret, textSecret } from './secret.ts';
import type { Holding } from './search.ts';

/** Where the canaries' requests come from: an address that nothing else on this machine has. */
const callerAddress = '127.44.55.66';

const transport = (name: string) => `canary-in-${name}-8f3a61`;
/** Headers that load balancers, agents and libraries add, each with a canary. */
const dirtyHeaders = [
  'user-agent',
  'x-forwarded-for',
  'x-real-ip',
  'forwarded',
  'cookie',
  'referer',
  'authorization',
  'cwa-header-padding',
  'x-request-id',
  'traceparent',
  'tracestate',
  'baggage',
  'accept-language',
  'via',
  'x-canary',
] as const;

export const transportSecrets: readonly Secret[] = [
  ...dirtyHeaders.map((name) => textSecret(`header ${name}`, transport(name))),
  textSecret('query', transport('query')),
  textSecret('address', callerAddress),
];

/** Sends requests with a canary in every header and in the query, and keeps all answers. */
export interface Recorder {
  /** Over HTTP/1.1 and HTTP/2 in turn. `own` names what the answer is allowed to hold. */
  send(request: WireRequest, own?: string): Promise<WireAnswer>;
  /** The answers, in order, with what each was allowed to hold: `answer /version/v1/tan 201 own tan`. */
  readonly answers: readonly Holding[];
  statuses(): ReadonlyMap<string, number>;
  close(): void;
}

export function recorder(endpoint: Endpoint): Recorder {
  const from: Endpoint = { ...endpoint, localAddress: callerAddress };
  const clients: WireClient[] = [http1Client(from), http2Client(from)];
  const answers: Holding[] = [];
  const counted = new Map<string, number>();
  let turn = 0;
  return {
    answers,
    statuses: () => counted,
    async send(request, own = 'nothing') {
      const path = `${request.path}?q=${transport('query')}`;
      const headers = [...(request.headers ?? []), ...dirtyHeaders.map((name) => [name, transport(name)] as const)];
      const client = clients[turn++ % clients.length] as WireClient;
      const answer = answered(await client.send({ ...request, path, headers }));
      const label = `${request.path} ${answer.status}`;
      counted.set(label, (counted.get(label) ?? 0) + 1);
      answers.push({
        place: `answer ${label} own ${own}`,
        octets: Buffer.concat([Buffer.from(answer.head), answer.body]),
      });
      return answer;
    },
    close: () => clients.forEach((client) => client.close()),
  };
}
