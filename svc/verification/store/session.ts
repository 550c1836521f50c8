import type { Queryable } from '../../../lib/db/pool.ts';
import type { Tx } from '../../../lib/db/tx.ts';

export interface NewSession {
  readonly tokenHash: Buffer;
  readonly hashedGuid: string | null;
  readonly hashedGuidDob: string | null;
  readonly teleTanType: number | null;
}

export interface SessionRow {
  readonly id: number;
  readonly createdAt: Date;
  readonly hashedGuid: string | null;
  readonly hashedGuidDob: string | null;
  readonly teleTanType: number | null;
}

/** Sessions created after `since`, in the order of the hashes; undefined where there is none. */
export async function findSessions(
  db: Queryable,
  tokenHashes: readonly Buffer[],
  since: Date,
): Promise<(SessionRow | undefined)[]> {
  const found = new Array<SessionRow | undefined>(tokenHashes.length).fill(undefined);
  if (tokenHashes.length === 0) return found;
  const { rows } = await db.query<SessionRow & { position: number }>(
    `select i.position, s.id, s.created_at as "createdAt", s.hashed_guid as "hashedGuid",
       s.hashed_guid_dob as "hashedGuidDob", s.tele_tan_type as "teleTanType"
     from unnest($1::bytea[]) with ordinality as i(hash, position) join session s on s.token_hash = i.hash
     where s.created_at > $2`,
    [tokenHashes, since],
  );
  for (const { position, ...session } of rows) found[position - 1] = session;
  return found;
}

export async function insertSessions(tx: Tx, sessions: readonly NewSession[], now: Date): Promise<void> {
  await tx.query(
    `insert into session (token_hash, hashed_guid, hashed_guid_dob, tele_tan_type, created_at)
     select s.*, $5 from unnest($1::bytea[], $2::text[], $3::text[], $4::int2[]) as s`,
    [
      sessions.map((session) => session.tokenHash),
      sessions.map((session) => session.hashedGuid),
      sessions.map((session) => session.hashedGuidDob),
      sessions.map((session) => session.teleTanType),
      now,
    ],
  );
}

/** Whether at least `count` sessions were created after `since`; reads no more rows than that. */
export async function hasSessions(db: Queryable, count: number, since: Date): Promise<boolean> {
  const { rows } = await db.query<{ n: number }>(
    'select count(*) as n from (select from session where created_at > $1 limit $2) as recent',
    [since, count],
  );
  return rows[0]?.n === count;
}

/** Those of the hashes that are registered already, as positions from 0. */
export async function takenHashes(tx: Tx, hashes: readonly Buffer[]): Promise<Set<number>> {
  const { rows } = await tx.query<{ position: number }>(
    `select i.position from unnest($1::bytea[]) with ordinality as i(hash, position)
     join registered_hash r on r.hash = i.hash`,
    [hashes],
  );
  return new Set(rows.map(({ position }) => position - 1));
}

/** Returns how many were inserted: fewer than given when somebody else registered one meanwhile. */
export async function registerHashes(tx: Tx, hashes: readonly Buffer[], now: Date): Promise<number> {
  const { rowCount } = await tx.query(
    `insert into registered_hash (hash, registered_at)
     select h, $2 from unnest($1::bytea[]) as h order by h on conflict (hash) do nothing`,
    [hashes, now],
  );
  return rowCount;
}
