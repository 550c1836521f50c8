import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';

/** Codes of our own refusals, whose text holds nothing of a query. */
const own: ReadonlySet<unknown> = new Set(['FORBIDDEN', 'BAD_RANGE', 'BAD_PAGE']);

const texts: Readonly<Record<string, string>> = {
  GRAPHQL_PARSE_FAILED: 'This is no GraphQL.',
  GRAPHQL_VALIDATION_FAILED: 'The query does not fit the schema or its limits.',
  PERSISTED_QUERY_NOT_FOUND: 'No stored query has this hash.',
  PERSISTED_QUERY_ONLY: 'Only stored queries are answered here.',
  PERSISTED_QUERY_KEY_NOT_FOUND: 'Only stored queries are answered here.',
  BAD_USER_INPUT: 'A variable does not fit the query.',
  BAD_REQUEST: 'The request cannot be read.',
  INTERNAL_SERVER_ERROR: 'Something failed here; it has been logged.',
};

/** Replaces every error by one without text of the query, a value or a stack. Places in the query stay. */
export const safeErrors: Plugin = {
  onResultProcess({ result, setResult }) {
    if (Array.isArray(result) || !('errors' in result) || result.errors === undefined) return;
    setResult({ ...result, errors: result.errors.map(safeError) });
  },
};

function safeError(error: GraphQLError): GraphQLError {
  const { nodes, source, positions, path, extensions } = error;
  const place = { nodes: nodes ?? null, source: source ?? null, positions: positions ?? null, path: path ?? null };
  const { code: told, http } = extensions;
  if (own.has(told)) return new GraphQLError(error.message, { ...place, extensions: { code: told } });
  const code = codeOf(error);
  return new GraphQLError(texts[code] ?? '', { ...place, extensions: { code, ...(http ? { http } : {}) } });
}

function codeOf({ message, extensions }: GraphQLError): string {
  const code = String(extensions['code']);
  if (code in texts) return code;
  if (message.startsWith('Variable ')) return 'BAD_USER_INPUT';
  // So begin the refusals of the limits on depth, cost and aliases.
  if (message.startsWith('Syntax Error')) return 'GRAPHQL_VALIDATION_FAILED';
  const { status } = (extensions['http'] ?? {}) as { status?: number };
  return status !== undefined && status < 500 ? 'BAD_REQUEST' : 'INTERNAL_SERVER_ERROR';
}
