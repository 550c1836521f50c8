import type { Queryable } from '../../lib/db/pool.ts';
import type { Tx } from '../../lib/db/tx.ts';
import type { Receipt } from './receipt.ts';

export interface ReceiptRow extends Receipt {
  readonly deliveryHour: number;
}

/**
 * Equal outcomes of one hour are one row, so that a list sent again and again does not grow the table. In order, so
 * that two lists never wait for each other.
 */
export async function insertReceipts(tx: Tx, receipts: readonly Receipt[], deliveryHour: number): Promise<void> {
  await tx.query(
    `insert into receipt (receipt_id, delivery_hour, status)
     select r.receipt_id, $3, r.status from unnest($1::uuid[], $2::int2[]) as r(receipt_id, status)
     order by r.receipt_id, r.status
     on conflict do nothing`,
    [receipts.map((receipt) => receipt.receiptId), receipts.map((receipt) => receipt.status), deliveryHour],
  );
}

/** The newest `limit` receipts of each id, newest first. Reads never write (decision 22). */
export async function readReceipts(
  db: Queryable,
  ids: readonly string[],
  firstHour: number,
  limit: number,
): Promise<ReceiptRow[]> {
  const { rows } = await db.query<ReceiptRow>(
    `select replace(receipt_id::text, '-', '') as "receiptId", status, delivery_hour as "deliveryHour"
     from (
       select receipt_id, status, delivery_hour,
         row_number() over (partition by receipt_id order by delivery_hour desc, status) as place
       from receipt where receipt_id = any($1::uuid[]) and delivery_hour >= $2
     ) r
     where place <= $3
     order by receipt_id, place`,
    [ids, firstHour, limit],
  );
  return rows;
}

/** A statement of its own: what is made in a transaction blocks others until its end. */
export async function createReceiptDay(db: Queryable, day: number): Promise<void> {
  await db.query('select create_receipt_day($1)', [day]);
}

/** Drops whole days, files and indexes with them; returns how many. */
export async function dropReceiptDays(tx: Tx, firstKeptDay: number): Promise<number> {
  const { rows } = await tx.query<{ dropped: number }>('select drop_receipt_days($1) as dropped', [firstKeptDay]);
  return rows[0]?.dropped ?? 0;
}
