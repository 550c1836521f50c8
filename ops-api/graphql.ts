import { costLimitPlugin } from '@escape.tech/graphql-armor-cost-limit';
import { maxAliasesPlugin } from '@escape.tech/graphql-armor-max-aliases';
import { maxDepthPlugin } from '@escape.tech/graphql-armor-max-depth';
import { useDisableIntrospection } from '@graphql-yoga/plugin-disable-introspection';
import { usePersistedOperations } from '@graphql-yoga/plugin-persisted-operations';
import type { GraphQLSchema } from 'graphql';
import { createYoga, type GraphiQLOptions, type Plugin } from 'graphql-yoga';
import { limits } from './limits.ts';
import type { PersistedOperation } from './persisted-operations.ts';
import { safeErrors } from './safe-errors.ts';
import type { OpsContext } from './schema/context.ts';

export interface GraphqlOptions {
  readonly schema: GraphQLSchema;
  readonly operations: readonly PersistedOperation[];
  readonly persistedOnly: boolean;
  readonly graphiql: boolean;
}

export type OpsYoga = ReturnType<typeof createOpsYoga>;

/** GraphQL over HTTP at `/graphql`. The operator is in the context, which the listener makes after the sign-in. */
export function createOpsYoga({ schema, operations, persistedOnly, graphiql }: GraphqlOptions) {
  const byHash = new Map(operations.map(({ sha256, text }) => [sha256, text]));
  const quiet = { exposeLimits: false };
  const plugins: Plugin[] = [
    usePersistedOperations({
      allowArbitraryOperations: !persistedOnly,
      getPersistedOperation: (hash) => byHash.get(hash) ?? null,
      customErrors: {
        notFound: told('PERSISTED_QUERY_NOT_FOUND'),
        keyNotFound: told('PERSISTED_QUERY_ONLY'),
        persistedQueryOnly: told('PERSISTED_QUERY_ONLY'),
      },
    }),
    useDisableIntrospection({ isDisabled: (_request, context) => context['operator'] === undefined }),
    boundedTokens,
    maxDepthPlugin({ n: limits.depth, ignoreIntrospection: false, ...quiet }) as Plugin,
    costLimitPlugin({ maxCost: limits.cost, depthCostFactor: 1, ...quiet }) as Plugin,
    maxAliasesPlugin({ n: limits.aliases, ...quiet }) as Plugin,
    safeErrors,
  ];
  return createYoga<OpsContext>({
    schema,
    plugins,
    graphiql: graphiql ? { title: 'CWA operations', defaultQuery: welcome } : false,
    renderGraphiQL: graphiqlPage,
    landingPage: false,
    cors: false,
    logging: false,
    multipart: false,
    batching: false,
    // `safeErrors` does it, and knows what failed.
    maskedErrors: false,
    maxRequestBodySize: limits.bytes,
    healthCheckEndpoint: '/-',
  });
}

/** Ends the reading of a query before its depth fills the stack. */
const boundedTokens: Plugin = {
  onParse: ({ parseFn, setParseFn }) =>
    setParseFn((source, options) => parseFn(source, { ...options, maxTokens: limits.tokens })),
};

const told = (code: string) => ({ message: code, extensions: { code } });

/** Loaded when somebody looks at it: 35 MB of memory. */
async function graphiqlPage(options?: GraphiQLOptions): Promise<string> {
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql');
  return renderGraphiQL(options);
}

const welcome = `# What may I ask?
{
  me {
    team
    mayAsk
  }
}
`;
