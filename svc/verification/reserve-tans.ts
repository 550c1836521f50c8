import {
  type ReserveTanOutcome,
  ReserveTanStatus,
  type TanClaim,
  type TanServiceService,
} from '../../gen/mesh/cwa/verification/v1/verification.ts';
import { UUID_PATTERN } from '../../lib/exposure/token-format.ts';
import type { Handlers } from '../../lib/rpc/api.ts';
import { invalidArgument, unavailable } from '../../lib/rpc/errors.ts';
import type { Deps } from './deps.ts';
import { togetherOrItemByItem } from './item-by-item.ts';
import { before, lifetimes } from './lifetimes.ts';
import { type Claim, readTanStates, reserve, type TanState } from './store/tan.ts';
import { storedHash } from './stored-hash.ts';

type ReserveTans = Handlers<typeof TanServiceService>['reserveTans'];

const rounds = 10;

/** Reserves TANs for uploads; nothing but other keys, time or the wrong type stands in the way (decision 20). */
export const reserveTans =
  (d: Deps): ReserveTans =>
  async ({ claims }) => {
    if (claims.some((claim) => claim.keysHash.length !== 32)) throw invalidArgument('KEYS_HASH');
    const formed = claims.flatMap((claim, i) => {
      const parsed = parseClaim(claim, d);
      return parsed === undefined ? [] : [{ i, parsed }];
    });
    const settled = await togetherOrItemByItem(
      formed.map(({ parsed }) => parsed),
      (some) => reserveAll(d, some),
      { status: ReserveTanStatus.RESERVE_TAN_STATUS_UNSPECIFIED, reservationId: '' },
      d.log,
    );
    const outcomes = claims.map(() => refused);
    formed.forEach(({ i }, n) => {
      outcomes[i] = settled[n] as ReserveTanOutcome;
    });
    return { outcomes };
  };

/** A malformed TAN cannot have been issued: it never reaches the database (S 1.9). */
function parseClaim({ tan, keysHash, event }: TanClaim, d: Deps): Claim | undefined {
  const text = tan.toLowerCase();
  return UUID_PATTERN.test(text)
    ? { hash: storedHash(text), keysHash, event, reservationId: d.random.uuid() }
    : undefined;
}

async function reserveAll(d: Deps, claims: readonly Claim[]): Promise<ReserveTanOutcome[]> {
  const now = d.clock.now();
  const outcomes = new Array<ReserveTanOutcome | undefined>(claims.length).fill(undefined);
  for (let round = 1; round <= rounds; round++) {
    const open = claims.flatMap((_, i) => (outcomes[i] === undefined ? [i] : []));
    if (open.length === 0) break;
    const firsts = firstOfEachTan(claims, open);
    const won = await reserve(
      d.pool,
      firsts.map((i) => claims[i] as Claim),
      now,
    );
    for (const n of won) {
      const i = firsts[n] as number;
      outcomes[i] = {
        status: ReserveTanStatus.RESERVE_TAN_STATUS_RESERVED,
        reservationId: (claims[i] as Claim).reservationId,
      };
    }
    const rest = open.filter((i) => outcomes[i] === undefined);
    if (rest.length === 0) break;
    const hashes = rest.map((i) => (claims[i] as Claim).hash);
    const states = await readTanStates(d.pool, hashes, now, before(now, lifetimes.tanTombstone));
    rest.forEach((i, n) => {
      outcomes[i] = judge(claims[i] as Claim, states[n] as TanState);
    });
  }
  // Only a TAN that is released again each time we look stays unsettled.
  if (outcomes.includes(undefined)) throw unavailable('TAN_CONTENDED');
  return outcomes as ReserveTanOutcome[];
}

/** Of several claims to one TAN the first tries; those for the wrong type do not compete. */
function firstOfEachTan(claims: readonly Claim[], open: readonly number[]): number[] {
  const seen = new Set<string>();
  return open.filter((i) => {
    const { hash, event } = claims[i] as Claim;
    const key = `${hash.toString('base64')}${event}`;
    return !seen.has(key) && seen.add(key);
  });
}

/** Why a TAN could not be reserved; undefined when it has become free meanwhile. */
function judge(claim: Claim, state: TanState): ReserveTanOutcome | undefined {
  if (state.valid === null) {
    return state.confirmedKeysHash?.equals(claim.keysHash)
      ? { status: ReserveTanStatus.RESERVE_TAN_STATUS_ALREADY_CONFIRMED, reservationId: '' }
      : refused;
  }
  if (state.event !== claim.event) return refused;
  if (state.reservationId !== null) {
    // It was valid when it was reserved; that its time ended since is no reason to refuse the same upload.
    const status = state.keysHash?.equals(claim.keysHash)
      ? ReserveTanStatus.RESERVE_TAN_STATUS_RESERVED
      : ReserveTanStatus.RESERVE_TAN_STATUS_RESERVED_FOR_OTHER_KEYS;
    return { status, reservationId: state.reservationId };
  }
  return state.valid ? undefined : refused;
}

const refused: ReserveTanOutcome = { status: ReserveTanStatus.RESERVE_TAN_STATUS_REFUSED, reservationId: '' };
