import { createHash } from 'node:crypto';
import type { StoreResultStatus } from '../../gen/mesh/cwa/test_result/v1/test_result.ts';
import type { Family } from './result-code.ts';

const hourMs = 3_600_000;

/**
 * Days that receipts live, the day of delivery (UTC) included; after it the day is dropped as a whole. Long enough for
 * a partner to find out about a delivery of last week, far shorter than the results themselves.
 */
const receiptDays = 14;

/** What is kept of one delivered item: who may ask and what became of it, and neither id nor result. */
export interface Receipt {
  readonly receiptId: string;
  readonly status: StoreResultStatus;
}

/**
 * Name of a receipt: half a SHA-256, as a UUID's 32 digits, over partner, family and the id in lower case. It can be
 * computed only by who knows the partner's fingerprint and the id, and it takes what is no id at all (S 3.2): a GUID
 * that was sent in clear by mistake is not kept.
 */
export function receiptId(submitter: Uint8Array, family: Family, deliveredId: string): string {
  const hash = createHash('sha256').update(submitter).update(Buffer.of(family)).update(deliveredId.toLowerCase());
  return hash.digest('hex').slice(0, 32);
}

/** Whole hours since 1970, UTC: as exactly as a receipt tells the time. */
export const hourOf = (time: Date): number => Math.floor(time.getTime() / hourMs);

/** Whole days since 1970, UTC: what a partition holds. */
export const dayOf = (time: Date): number => Math.floor(hourOf(time) / 24);

/** The first day that is kept at `now`. */
export const firstReceiptDay = (now: Date): number => dayOf(now) - receiptDays + 1;
