import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Metrics } from '../lib/telemetry/metrics.ts';
import { inTrace } from '../lib/telemetry/tracing.ts';
import type { Random } from '../lib/random/random.ts';
import type { Clock } from '../lib/time/clock.ts';
import type { OpsYoga } from './graphql.ts';
import { graphiqlHeaders, pageHeaders, securityHeaders } from './security-headers.ts';
import type { Operator, OpsContext } from './schema/context.ts';

export interface ServeDeps {
  readonly yoga: OpsYoga;
  readonly graphiql: boolean;
  /** HTML of the status page for the operator; its one script and style bear the nonce. */
  readonly statusPage: (context: OpsContext, nonce: string) => Promise<string>;
  readonly signIn: (request: IncomingMessage) => Promise<Operator | undefined>;
  readonly mayAsk: (identity: string) => boolean;
  readonly contextOf: (operator: Operator) => Omit<OpsContext, 'onFailure'>;
  /** Is told what nobody expected; it is not shown. */
  readonly onFailure: (error: unknown) => void;
  readonly metrics: Metrics;
  readonly random: Random;
  readonly clock: Clock;
}

/**
 * Every request at the operators' port: nobody gets anything without a sign-in, not even that a path is unknown. The
 * status page is at `/`, GraphQL at `/graphql`. Queries come by POST with JSON, which no other site's page can send.
 */
export async function serve(deps: ServeDeps, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const measured = measure(deps, response);
  for (const [name, value] of securityHeaders) response.setHeader(name, value);
  // The mesh's time, from which outside clients take theirs (decision 1).
  response.setHeader('date', deps.clock.now().toUTCString());
  const operator = await deps.signIn(request);
  measured.team = operator?.team ?? 'nobody';
  if (operator === undefined) return end(response, 401, { 'www-authenticate': 'Bearer realm="cwa-ops"' });
  if (isFromElsewhere(request)) return end(response, 403);
  if (!deps.mayAsk(operator.id)) return end(response, 429, { 'retry-after': '10' });
  const route = routeOf(deps, request);
  if (typeof route === 'number') return end(response, route, route === 405 ? { allow: 'GET, POST' } : {});
  const onFailure = (error: unknown): void => {
    measured.failed = true;
    deps.onFailure(error);
  };
  const context = { ...deps.contextOf(operator), onFailure };
  const attributes = { 'cwa.team': operator.team, 'http.request.method': request.method ?? '', 'http.route': route };
  await inTrace(`operator ${route}`, { kind: 'server', attributes }, async (span) => {
    if (route === 'query') span.set({ 'graphql.operation.type': 'query' });
    await answer(deps, route, context, request, response);
  });
}

async function answer(
  { random, statusPage, yoga }: ServeDeps,
  route: Route,
  context: OpsContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (route === 'status-page') {
    const nonce = random.bytes(16).toString('base64');
    const page = await statusPage(context, nonce);
    return end(response, 200, pageHeaders(nonce), request.method === 'HEAD' ? undefined : page);
  }
  if (route === 'graphiql') for (const [name, value] of graphiqlHeaders) response.setHeader(name, value);
  await yoga(request, response, context);
}

type Route = 'status-page' | 'query' | 'graphiql';

/** What is asked for, or the status that refuses it. */
function routeOf({ graphiql }: ServeDeps, { url = '', method = '', headers }: IncomingMessage): Route | number {
  const path = url.split('?', 1)[0];
  if (path === '/') return method === 'GET' || method === 'HEAD' ? 'status-page' : 405;
  if (path !== '/graphql') return 404;
  if (method === 'POST') return /^application\/json\s*(;|$)/i.test(headers['content-type'] ?? '') ? 'query' : 415;
  if (method !== 'GET') return 405;
  // A query in a URL would be kept by histories and proxies.
  return graphiql && url === path && (headers.accept ?? '').includes('text/html') ? 'graphiql' : 405;
}

/** A browser says so when another site's page made it ask, with the operator's certificate in its hand. */
function isFromElsewhere({ headers }: IncomingMessage): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
  return headers.origin !== undefined && headers.origin !== `https://${headers.host}`;
}

/** What to do about a refusal; the same for everybody, and nothing of what was asked. */
const remedies: Readonly<Record<number, string>> = {
  401: "Sign in with an operator's client certificate, or with a bearer token that bears one team's role and a second factor.",
  403: 'Open this page by its own address: another site sent you.',
  404: 'The status page is at /, GraphQL at /graphql.',
  405: 'The status page is read with GET, GraphQL by POST with JSON.',
  415: 'Send the query as JSON, with content-type application/json.',
  429: 'Too many requests within a minute; wait a little.',
};

function end(
  response: ServerResponse,
  status: number,
  headers: Record<string, string> = {},
  body: string | undefined = remedies[status] && `${remedies[status]}\n`,
): void {
  const type = status === 200 ? {} : { 'content-type': 'text/plain; charset=utf-8' };
  response.writeHead(status, { ...type, ...headers }).end(body);
}

/** Counts the request by team and outcome, and how long it took, once its answer has left. */
function measure({ metrics, clock }: ServeDeps, response: ServerResponse): { team: string; failed: boolean } {
  const begunMs = clock.monotonicMs();
  const measured = { team: 'nobody', failed: false };
  response.once('close', () => {
    const outcome = measured.failed ? 'failed' : outcomeOf(response.statusCode);
    metrics.count('cwa.ops.requests', { 'cwa.team': measured.team, 'cwa.outcome': outcome });
    metrics.record('cwa.ops.query.duration', {}, (clock.monotonicMs() - begunMs) / 1_000);
  });
  return measured;
}

function outcomeOf(status: number): 'answered' | 'refused' | 'limited' | 'failed' {
  if (status < 400) return 'answered';
  if (status === 429) return 'limited';
  return status < 500 ? 'refused' : 'failed';
}
