import { GraphQLError } from 'graphql';

/** The only errors whose text an operator is shown; nothing of a query is in them. */
export type RefusalCode = 'FORBIDDEN' | 'BAD_RANGE' | 'BAD_PAGE';

export const refusal = (code: RefusalCode, message: string): GraphQLError =>
  new GraphQLError(message, { extensions: { code } });
