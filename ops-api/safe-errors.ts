import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { limits } from './limits.ts';
import type { OpsContext } from './schema/context.ts';

/** The only texts of errors that an operator is shown, by their code. What a library says may repeat the query. */
const texts: Readonly<Record<string, string>> = {
  FORBIDDEN: 'This belongs to another team.',
  BAD_RANGE:
    'A range begins before it ends, before now, and ends within the last 40 days; a DateTime is 2026-02-01T12:00:00Z.',
  BAD_PAGE: 'A page has 1 to 100 items, and begins at the start or after a cursor of the same list.',
  GRAPHQL_PARSE_FAILED: 'This is no GraphQL.',
  GRAPHQL_VALIDATION_FAILED: 'The query does not fit the schema at these places. { __schema } tells what there is.',
  QUERY_TOO_LARGE: `A query has at most ${limits.depth} levels, ${limits.tokens} words, ${limits.aliases} aliases and ${limits.cost} values; objects count twice, lists as long as "first". An answer has at most ${limits.points} points.`,
  PERSISTED_QUERY_NOT_FOUND: 'No stored query has this hash.',
  PERSISTED_QUERY_ONLY: 'Only stored queries are answered here.',
  BAD_USER_INPUT: 'A variable does not fit the query.',
  BAD_REQUEST:
    'Send one query as JSON; of several in one document name one in operationName. Nothing can be changed here.',
  INTERNAL_SERVER_ERROR: 'Something failed here; it has been logged.',
};

/** Replaces every error by one without text of the query, a value or a stack. Places in the query stay. */
export const safeErrors: Plugin = {
  onResultProcess({ result, setResult, serverContext }) {
    if (Array.isArray(result) || !('errors' in result) || result.errors === undefined) return;
    reportFailures(result.errors, (serverContext as unknown as OpsContext).onFailure);
    setResult({ ...result, errors: result.errors.map(safeError) });
  },
};

/** Tells of errors that are ours and no answer to what was asked. */
export function reportFailures(errors: readonly GraphQLError[], onFailure: OpsContext['onFailure']): void {
  for (const error of errors) if (codeOf(error) === failed) onFailure(error.originalError ?? error);
}

const failed = 'INTERNAL_SERVER_ERROR';

function safeError(error: GraphQLError): GraphQLError {
  const { nodes = null, source = null, positions = null, path = null, extensions } = error;
  const code = codeOf(error);
  const { http } = extensions;
  return new GraphQLError(texts[code] ?? '', {
    nodes,
    source,
    positions,
    path,
    extensions: { code, ...(http ? { http } : {}) },
  });
}

function codeOf({ message, extensions, path, originalError }: GraphQLError): string {
  const code = String(extensions['code']);
  // So begin the refusals of the limits on depth, cost and aliases too.
  if (message.startsWith('Syntax Error') && code !== 'GRAPHQL_PARSE_FAILED') return 'QUERY_TOO_LARGE';
  if (message.endsWith('Parsing aborted.')) return 'QUERY_TOO_LARGE';
  if (code in texts) return code;
  if (message.startsWith('Variable ')) return 'BAD_USER_INPUT';
  // Of the whole request, by GraphQL itself: a mutation, a name that no operation has.
  if (path === undefined && originalError === undefined) return 'BAD_REQUEST';
  const { status } = (extensions['http'] ?? {}) as { status?: number };
  return status !== undefined && status < 500 ? 'BAD_REQUEST' : failed;
}
