import { invalidArgument } from '../../lib/rpc/errors.ts';
import { errorFields, type Log } from '../../lib/telemetry/log.ts';

const maxItems = 5_000;

/**
 * Runs a list in one go and, when PostgreSQL refuses a statement of it, item by item, so that one item never spoils the
 * others of strangers. An item that fails even alone is answered with `unanswered`.
 */
export async function togetherOrItemByItem<I, O>(
  items: readonly I[],
  run: (items: readonly I[]) => Promise<O[]>,
  unanswered: O,
  log: Log,
): Promise<O[]> {
  if (items.length > maxItems) throw invalidArgument('TOO_MANY_ITEMS');
  if (items.length === 0) return [];
  try {
    return await run(items);
  } catch (error) {
    if (items.length === 1 || !refusedByDatabase(error)) throw error;
    log.warn('list-handled-item-by-item', errorFields(error));
  }
  const outcomes: O[] = [];
  for (const item of items) {
    try {
      outcomes.push(...(await run([item])));
    } catch (error) {
      if (!refusedByDatabase(error)) throw error;
      log.error('item-failed', errorFields(error));
      outcomes.push(unanswered);
    }
  }
  return outcomes;
}

/** Data, constraint or rollback trouble of one statement (SQLSTATE classes 22, 23, 40); not a lost connection. */
function refusedByDatabase(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return error instanceof Error && typeof code === 'string' && /^(22|23|40)[0-9A-Z]{3}$/.test(code);
}
