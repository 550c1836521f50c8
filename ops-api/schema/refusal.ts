import { GraphQLError } from 'graphql';

/** Why a field is not answered; what an operator reads about it is in `safe-errors.ts`. */
export type RefusalCode = 'FORBIDDEN' | 'BAD_RANGE' | 'BAD_PAGE' | 'QUERY_TOO_LARGE';

export const refusal = (code: RefusalCode): GraphQLError => new GraphQLError(code, { extensions: { code } });
