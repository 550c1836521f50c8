import { execute, type GraphQLSchema, parse } from 'graphql';
import type { PersistedOperation } from '../persisted-operations.ts';
import { reportFailures } from '../safe-errors.ts';
import type { OpsContext } from '../schema/context.ts';
import { page } from './page.ts';
import type { Status } from './status.ts';

const hourMs = 3_600_000;

/**
 * The page for people who will not write a query: the stored operation `status`, put into words for the team that asks.
 * What belongs to other teams is not in it.
 */
export function statusPage(
  schema: GraphQLSchema,
  operations: readonly PersistedOperation[],
): (context: OpsContext, nonce: string) => Promise<string> {
  const operation = operations.find(({ name }) => name === 'status');
  if (operation === undefined) throw new Error('operations/status.graphql is missing');
  const document = parse(operation.text);
  return async (context, nonce) => {
    const { data, errors = [] } = await execute({
      schema,
      document,
      // It asks for everybody's fields, and shows those of the team.
      contextValue: { ...context, onRefusal: () => {} },
      variableValues: rangesAt(context.clock.nowMs()),
    });
    reportFailures(errors, context.onFailure);
    // Moments as text, as a caller from outside would have them.
    const status = JSON.parse(JSON.stringify(data)) as Status;
    return page(status, context.clock.now(), nonce).text;
  };
}

/** The last 24 hours by the hour, the one in progress among them; of the prober a quarter of an hour too; of partners the last week by the day, so that small ones are seen too. */
export function rangesAt(nowMs: number) {
  return {
    range: { from: new Date(nowMs - 23 * hourMs).toISOString(), resolution: 'HOUR' },
    lately: { from: new Date(nowMs - 15 * 60_000).toISOString(), resolution: 'MINUTE' },
    days: { from: new Date(nowMs - 7 * 24 * hourMs).toISOString(), resolution: 'DAY' },
  };
}
