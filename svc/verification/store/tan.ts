import type { Queryable } from '../../../lib/db/pool.ts';
import type { Tx } from '../../../lib/db/tx.ts';

export interface NewTan {
  readonly hash: Buffer;
  readonly sessionId: number;
  readonly teleTanType: number | null;
}

export interface Claim {
  readonly hash: Buffer;
  readonly keysHash: Buffer;
  readonly event: boolean;
  readonly reservationId: string;
}

/** What is known of a TAN that could not be reserved; all null when it is unknown. */
export interface TanState {
  readonly reservationId: string | null;
  readonly keysHash: Buffer | null;
  readonly event: boolean | null;
  readonly valid: boolean | null;
  /** For which keys it was confirmed, if lately. */
  readonly confirmedKeysHash: Buffer | null;
}

/**
 * Locks sessions, in the order of their ids, and answers their redeemed TANs by session id. Whoever changes how many
 * TANs a session has holds this lock; reserving does not, as it changes no number.
 */
export async function lockSessions(tx: Tx, ids: readonly number[]): Promise<Map<number, number>> {
  const { rows } = await tx.query<{ id: number; redeemedTans: number }>(
    `select id, redeemed_tans as "redeemedTans" from session where id = any($1::bigint[]) order by id for update`,
    [ids],
  );
  return new Map(rows.map(({ id, redeemedTans }) => [id, redeemedTans]));
}

/**
 * Deletes the TANs of locked sessions that nobody has reserved, and answers how many reserved ones each session has.
 * A TAN that is being reserved at this moment is waited for and then counted.
 */
export async function dropOpenTans(tx: Tx, sessionIds: readonly number[]): Promise<Map<number, number>> {
  const { rows } = await tx.query<{ sessionId: number; reserved: number }>(
    `with open_tan as (
       select hash from tan where session_id = any($1::bigint[]) and reservation_id is null order by hash for update
     ), gone as (
       delete from tan using open_tan where tan.hash = open_tan.hash returning tan.session_id
     )
     select session_id as "sessionId", sum(n)::int as reserved from (
       select session_id, 1 as n from tan where session_id = any($1::bigint[])
       union all select session_id, -1 from gone
     ) as counted group by session_id`,
    [sessionIds],
  );
  return new Map(rows.map(({ sessionId, reserved }) => [sessionId, reserved]));
}

export async function insertTans(tx: Tx, tans: readonly NewTan[], now: Date, validUntil: Date): Promise<void> {
  await tx.query(
    `insert into tan (hash, session_id, tele_tan_type, created_at, valid_until)
     select t.*, $4, $5 from unnest($1::bytea[], $2::bigint[], $3::int2[]) as t`,
    [
      tans.map((tan) => tan.hash),
      tans.map((tan) => tan.sessionId),
      tans.map((tan) => tan.teleTanType),
      now,
      validUntil,
    ],
  );
}

/** Reserves what can be reserved, in one statement; answers the positions from 0 of the claims that were. */
export async function reserve(db: Queryable, claims: readonly Claim[], now: Date): Promise<Set<number>> {
  const { rows } = await db.query<{ position: number }>(
    `with claim as (
       select * from unnest($1::bytea[], $2::bytea[], $3::boolean[], $4::uuid[])
         with ordinality as c(hash, keys_hash, event, reservation_id, position)
     ), open_tan as (
       select t.hash, c.position from claim c join tan t on t.hash = c.hash
       where t.reservation_id is null and t.valid_until > $5 and c.event = (t.tele_tan_type is not distinct from 2)
       order by t.hash for update of t
     )
     update tan set reservation_id = c.reservation_id, keys_hash = c.keys_hash
     from claim c join open_tan o on o.position = c.position
     where tan.hash = c.hash returning c.position`,
    [
      claims.map((claim) => claim.hash),
      claims.map((claim) => claim.keysHash),
      claims.map((claim) => claim.event),
      claims.map((claim) => claim.reservationId),
      now,
    ],
  );
  return new Set(rows.map(({ position }) => position - 1));
}

/** The states of TANs in the order of the hashes, from one snapshot: a TAN being confirmed is seen before or after. */
export async function readTanStates(
  db: Queryable,
  hashes: readonly Buffer[],
  now: Date,
  confirmedSince: Date,
): Promise<TanState[]> {
  const { rows } = await db.query<TanState>(
    `select t.reservation_id as "reservationId", t.keys_hash as "keysHash", t.valid_until > $2 as valid,
       case when t.hash is not null then t.tele_tan_type is not distinct from 2 end as event,
       s.keys_hash as "confirmedKeysHash"
     from unnest($1::bytea[]) with ordinality as i(hash, position)
     left join tan t on t.hash = i.hash
     left join tan_tombstone s on s.tan_hash = i.hash and s.confirmed_at > $3
     order by i.position`,
    [hashes, now, confirmedSince],
  );
  return rows;
}

/**
 * Deletes reserved TANs, starts their tombstones and counts them, in one statement; unknown ids change nothing. Answers
 * how many TANs ended.
 */
export async function confirm(db: Queryable, reservationIds: readonly string[], now: Date): Promise<number> {
  const { rows } = await db.query<{ n: number }>(
    `with gone as (
       delete from tan where reservation_id = any($1::uuid[]) returning hash, keys_hash, reservation_id, session_id
     ), stone as (
       insert into tan_tombstone (tan_hash, keys_hash, reservation_id, confirmed_at)
       select hash, keys_hash, reservation_id, $2 from gone order by hash on conflict (tan_hash) do nothing
     ), locked as (
       select id from session where id in (select session_id from gone) order by id for update
     ), counted as (
       update session s set redeemed_tans = s.redeemed_tans + g.n
       from locked l join (select session_id, count(*)::int as n from gone group by session_id) g on g.session_id = l.id
       where s.id = l.id
     )
     select count(*)::int as n from gone`,
    [reservationIds, now],
  );
  return rows[0]?.n ?? 0;
}

/** Locks the session whose TAN the reservation holds, if there is one. */
export async function lockSessionOf(tx: Tx, reservationId: string): Promise<void> {
  await tx.query(
    `select s.id from tan t join session s on s.id = t.session_id where t.reservation_id = $1 for update of s`,
    [reservationId],
  );
}

/**
 * Opens a reserved TAN again, or deletes it when its session got a newer one that is still open: then the old one was
 * replaced. Its session must be locked.
 */
export async function release(tx: Tx, reservationId: string): Promise<void> {
  await tx.query(
    `with held as (
       select t.hash, exists (select from tan o where o.session_id = t.session_id and o.reservation_id is null) as replaced
       from tan t where t.reservation_id = $1 for update of t
     ), gone as (
       delete from tan using held where tan.hash = held.hash and held.replaced
     )
     update tan set reservation_id = null, keys_hash = null from held where tan.hash = held.hash and not held.replaced`,
    [reservationId],
  );
}
