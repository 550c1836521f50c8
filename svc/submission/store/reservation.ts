import type { Queryable } from '../../../lib/db/pool.ts';
import type { Tx } from '../../../lib/db/tx.ts';

export type ReservationState = 'stored' | 'confirmed' | 'abandoned';

/** Fences the ids as stored. Answers those that this transaction fenced; the others have a state already. */
export async function insertStored(tx: Tx, ids: readonly string[], hour: number): Promise<ReadonlySet<string>> {
  const { rows } = await tx.query<{ id: string }>(
    `insert into reservation (id, state, changed_hour)
     select id, 'stored', $2 from unnest($1::uuid[]) as r (id) order by id on conflict do nothing returning id`,
    [ids, hour],
  );
  return new Set(rows.map((row) => row.id));
}

/** Fences the ids as abandoned, unless they have a state already: see `reservationStates`. */
export async function insertAbandoned(db: Queryable, ids: readonly string[], hour: number): Promise<void> {
  await db.query(
    `insert into reservation (id, state, changed_hour)
     select id, 'abandoned', $2 from unnest($1::uuid[]) as r (id) order by id on conflict do nothing`,
    [ids, hour],
  );
}

/** Needs a statement of its own: one that has just waited for a rival's insert does not see the rival's row. */
export async function reservationStates(
  db: Queryable,
  ids: readonly string[],
): Promise<ReadonlyMap<string, ReservationState>> {
  const { rows } = await db.query<{ id: string; state: ReservationState }>(
    'select id, state from reservation where id = any($1::uuid[])',
    [ids],
  );
  return new Map(rows.map((row) => [row.id, row.state]));
}

export async function markConfirmed(db: Queryable, ids: readonly string[], hour: number): Promise<void> {
  await db.query(
    `update reservation set state = 'confirmed', changed_hour = $2 where id = any($1::uuid[]) and state = 'stored'`,
    [ids, hour],
  );
}

export async function unconfirmedReservations(db: Queryable, limit: number): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    `select id from reservation where state = 'stored' order by id limit $1`,
    [limit],
  );
  return rows.map((row) => row.id);
}
