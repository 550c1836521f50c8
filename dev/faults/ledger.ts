import type { Pool } from '../../lib/db/pool.ts';
import { hashText } from '../../lib/exposure/token-format.ts';
import { hashOfKeys, type Status } from './positive-phone.ts';

type Pools = { readonly submission: Pool; readonly verification: Pool; readonly testResult: Pool };

/** How TANs and registration tokens are stored (S 2.8). */
export const hashOfTan = (text: string): Buffer => Buffer.from(hashText(text), 'hex');

/** What both databases hold of one TAN and the uploads it could pay for. */
export interface Account {
  readonly tan: 'free' | 'reserved' | 'spent' | 'unknown';
  /** Index of the key set that it was spent for; -1 for none of them. */
  readonly spentFor: number;
  /** Times that the session has paid. */
  readonly payments: number;
  /** Keys stored of each set. */
  readonly stored: readonly number[];
  readonly reservation: string | undefined;
}

/** A phone whose test was positive, written where registration and the laboratory would have written it. */
export async function seedPositive(pools: Pools, registrationToken: string, now: Date): Promise<void> {
  const token = hashOfTan(registrationToken);
  const hashedGuid = hashText(`guid of ${registrationToken}`);
  await pools.verification.query('insert into session (token_hash, created_at, hashed_guid) values ($1, $2, $3)', [
    token,
    now,
    hashedGuid,
  ]);
  await pools.testResult.query(
    `insert into test_result (result_id, family, result, result_date, lab_id, submitter, created_at)
     values ($1, 1, 2, $2, 'a-lab', sha256('lab'), $2)`,
    [hashedGuid, now],
  );
}

/**
 * Read in an order in which a mesh that is still at work cannot look wrong: what was spent before its keys, the keys
 * before what is free.
 */
export async function accountOf(
  { submission, verification }: Pools,
  registrationToken: string,
  tan: string,
  sets: readonly (readonly Buffer[])[],
): Promise<Account> {
  const hash = hashOfTan(tan);
  const token = hashOfTan(registrationToken);
  const { rows: stones } = await verification.query<{ keysHash: Buffer; id: string }>(
    'select keys_hash as "keysHash", reservation_id as id from tan_tombstone where tan_hash = $1',
    [hash],
  );
  const stored: number[] = [];
  for (const keys of sets) {
    const { rows } = await submission.query<{ n: number }>(
      'select count(*) as n from diagnosis_key where key_data = any($1::bytea[])',
      [keys],
    );
    stored.push(rows[0]?.n ?? 0);
  }
  const { rows: open } = await verification.query<{ reserved: boolean }>(
    'select reservation_id is not null as reserved from tan where hash = $1',
    [hash],
  );
  const { rows: sessions } = await verification.query<{ payments: number }>(
    'select redeemed_tans as payments from session where token_hash = $1',
    [token],
  );
  const [stone] = stones;
  const { rows: reservations } = await submission.query<{ state: string }>(
    'select state from reservation where id = $1',
    [stone?.id ?? null],
  );
  return {
    tan: stone !== undefined ? 'spent' : open.length === 0 ? 'unknown' : open[0]?.reserved ? 'reserved' : 'free',
    spentFor: stone === undefined ? -1 : sets.findIndex((keys) => hashOfKeys(keys).equals(stone.keysHash)),
    payments: sessions[0]?.payments ?? 0,
    stored,
    reservation: reservations[0]?.state,
  };
}

/** Until the sweeper has confirmed everything; it runs every second here. */
export async function untilSwept({ submission }: Pools, withinMs: number): Promise<boolean> {
  const end = performance.now() + withinMs;
  for (;;) {
    const { rows } = await submission.query(`select from reservation where state = 'stored' limit 1`);
    if (rows.length === 0) return true;
    if (performance.now() > end) return false;
    await new Promise((done) => setTimeout(done, 20));
  }
}

/** Is told everything that is not as it must be. */
export type Fail = (text: string) => void;

/** What holds at any moment. */
export function checkHalfway({ tan, stored, spentFor }: Account, answer: Status, fail: Fail): void {
  const [mine = 0, others = 0] = stored;
  if (mine > 0 && others > 0) fail('one TAN paid for two uploads');
  if (tan === 'unknown') fail('the TAN is gone without a trace');
  if (tan === 'spent' && (stored[spentFor] ?? 0) === 0) fail('a TAN was burnt without its keys stored');
  if (tan === 'free' && mine + others > 0) fail('keys are stored, but the TAN is free');
  if (answer === 200 && mine + others === 0) fail('accepted, but nothing is stored');
}

/** What holds when everything is over; `winner` is the index of the key set that was stored. */
export function checkEnd({ tan, stored, spentFor, reservation }: Account, winner: number, fail: Fail): void {
  if (tan !== 'spent') fail(`at the end the TAN is ${tan}`);
  if (spentFor !== winner) fail('the TAN was spent for the other keys');
  if (reservation !== 'confirmed') fail(`the reservation is ${reservation ?? 'missing'}`);
  if (stored[winner] !== 3) fail(`${stored[winner]} keys of 3 are stored`);
  if (stored[1 - winner] !== 0) fail(`${stored[1 - winner]} keys of the other upload are stored`);
}
