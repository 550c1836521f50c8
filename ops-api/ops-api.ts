import type { Random } from '../lib/random/random.ts';
import type { CertificateSource } from '../lib/rpc/certificates.ts';
import { errorFields, type Log } from '../lib/telemetry/log.ts';
import type { Metrics } from '../lib/telemetry/metrics.ts';
import type { SecurityFeed } from '../lib/telemetry/security.ts';
import type { Clock } from '../lib/time/clock.ts';
import type { Config } from './config.ts';
import type { Fleet } from './feed/fleet.ts';
import { createOpsYoga } from './graphql.ts';
import type { History } from './history/history.ts';
import { limits } from './limits.ts';
import { type Listener, startListener } from './listener.ts';
import { readOperations } from './persisted-operations.ts';
import { buildSchema } from './schema/schema.ts';
import { serve } from './serve.ts';
import type { Service } from './schema/context.ts';
import type { VerifyToken } from './sign-in/bearer.ts';
import { signIn } from './sign-in/sign-in.ts';
import { statusPage } from './status-page/status-page.ts';
import { tokenBuckets } from './token-bucket.ts';

export interface OperatorPortDeps {
  readonly settings: Config['settings'];
  readonly certificates: CertificateSource;
  readonly services: readonly Service[];
  readonly fleet: Fleet;
  readonly history: History;
  readonly verifyToken?: VerifyToken;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly security: SecurityFeed;
}

/** Refused sign-ins that are reported one by one in a minute, for each reason; a flood of them is counted as `cwa.ops.requests` alone. */
const reportsPerMinute = 60;

/** The port at which operators come in: status page and GraphQL. */
export async function startOperatorPort(deps: OperatorPortDeps): Promise<Listener> {
  const { settings, services, fleet, history, clock, random, log, metrics, security } = deps;
  const schema = buildSchema(services);
  const operations = readOperations();
  const stored = new Set(operations.map(({ text }) => text));
  const yoga = createOpsYoga({
    schema,
    operations,
    persistedOnly: settings.OPS_API_PERSISTED_ONLY,
    graphiql: settings.OPS_API_GRAPHIQL,
  });
  const mayAsk = tokenBuckets(settings.OPS_API_MAX_REQUESTS_PER_MINUTE, clock);
  const mayReport = tokenBuckets(reportsPerMinute, clock);
  const signInDeps = {
    ...(deps.verifyToken ? { verifyToken: deps.verifyToken } : {}),
    log,
    security,
    mayReport,
  };
  const pollSeconds = settings.TELEMETRY_FLUSH_SECONDS;
  const serveDeps = {
    yoga,
    graphiql: settings.OPS_API_GRAPHIQL,
    statusPage: statusPage(schema, operations),
    signIn: (request: Parameters<typeof signIn>[1]) => signIn(signInDeps, request),
    mayAsk,
    contextOf: (operator: Parameters<Parameters<typeof serve>[0]['contextOf']>[0]) => {
      // Stored queries and the page name everybody's fields.
      const onRefusal = (query: string | undefined): void => {
        if (query !== undefined && !stored.has(query)) security.report({ type: 'field-refused', team: operator.team });
      };
      const budget = { points: limits.points };
      return { operator, clock, fleet, history, services, budget, pollSeconds, onRefusal };
    },
    metrics,
    random,
    clock,
    onFailure: (error: unknown) => log.error('query-failed', errorFields(error)),
  };
  return startListener({
    host: settings.OPS_API_HOST,
    port: settings.OPS_API_OPERATOR_PORT,
    certificates: deps.certificates,
    maxConnections: settings.OPS_API_MAX_CONNECTIONS,
    timeoutMs: settings.OPS_API_TIMEOUT_MS,
    serve: (request, response) => serve(serveDeps, request, response),
    onFailure: (error) => log.error('request-failed', errorFields(error)),
  });
}
