import { UploadStatus } from '../../gen/mesh/cwa/submission/v1/submission.ts';
import { type ReserveTanOutcome, ReserveTanStatus } from '../../gen/mesh/cwa/verification/v1/verification.ts';
import { hoursSinceEpoch } from '../../lib/exposure/intervals.ts';
import { inTx } from '../../lib/db/tx.ts';
import type { Call } from '../../lib/rpc/api.ts';
import { leastUsefulMs } from '../../lib/rpc/limits.ts';
import type { Deps } from './deps.ts';
import type { ParsedUpload } from './payload.ts';
import { insertAbandoned, markConfirmed, reservationStates } from './store/reservation.ts';
import { type Fate, type ReservedUpload, storeUploads } from './store-uploads.ts';

/** An upload and the TAN that shall pay for it. */
export interface Claim {
  readonly tan: string;
  readonly upload: ParsedUpload;
  /** How often a reservation was asked for. */
  rounds: number;
  /** UNAVAILABLE until something else is certain. */
  status: UploadStatus;
}

const maxRounds = 3;

/**
 * Spends the TAN of each claim and stores its keys, exactly once however often a phone repeats itself and whatever
 * breaks on the way (decision 20). Writes the result into `claim.status`; never throws for a failure behind it.
 */
export async function spendTans(d: Deps, claims: readonly Claim[], nowSeconds: number, call: Call): Promise<void> {
  const hour = hoursSinceEpoch(nowSeconds);
  let open = [...claims];
  while (open.length > 0 && hasTime(d, call)) {
    const { round, later } = oneClaimPerTan(open);
    const again = await spendRound(d, round, hour, call);
    open = [...again.filter((claim) => claim.rounds < maxRounds), ...later];
  }
}

/** Two uploads with one TAN and other keys are settled one after the other: the first to be stored wins. */
function oneClaimPerTan(claims: readonly Claim[]): { round: Claim[]; later: Claim[] } {
  const seen = new Set<string>();
  const round: Claim[] = [];
  const later: Claim[] = [];
  for (const claim of claims) {
    (seen.has(claim.tan) ? later : round).push(claim);
    seen.add(claim.tan);
  }
  return { round, later };
}

/** One reservation for each claim, and what follows from it. Answers the claims that must reserve anew. */
async function spendRound(d: Deps, round: readonly Claim[], hour: number, call: Call): Promise<Claim[]> {
  const answers = await reserve(d, round, call);
  const mine: (ReservedUpload & { claim: Claim })[] = [];
  const foreign: { id: string; claim: Claim }[] = [];
  round.forEach((claim, i) => {
    const { status, reservationId: id } = answers[i] ?? noAnswer;
    if (status === ReserveTanStatus.RESERVE_TAN_STATUS_RESERVED) mine.push({ id, upload: claim.upload, claim });
    if (status === ReserveTanStatus.RESERVE_TAN_STATUS_RESERVED_FOR_OTHER_KEYS) foreign.push({ id, claim });
    if (status === ReserveTanStatus.RESERVE_TAN_STATUS_ALREADY_CONFIRMED)
      claim.status = UploadStatus.UPLOAD_STATUS_STORED;
    if (status === ReserveTanStatus.RESERVE_TAN_STATUS_REFUSED) claim.status = UploadStatus.UPLOAD_STATUS_TAN_REFUSED;
  });

  const myFates = await storeUploads(d, mine, hour, () => hasTime(d, call));
  const foreignFates = await abandon(
    d,
    foreign.map(({ id }) => id),
    hour,
  );
  settle(mine, myFates, UploadStatus.UPLOAD_STATUS_STORED);
  settle(foreign, foreignFates, UploadStatus.UPLOAD_STATUS_TAN_REFUSED);

  const fates = new Map([...myFates, ...foreignFates]);
  const [, released] = await Promise.all([
    confirm(d, idsWith(fates, 'stored'), hour, call),
    release(d, idsWith(fates, 'abandoned'), call),
  ]);
  if (!released) return [];
  return [...mine, ...foreign].filter(({ id }) => fates.get(id) === 'abandoned').map(({ claim }) => claim);
}

const noAnswer: ReserveTanOutcome = { status: ReserveTanStatus.RESERVE_TAN_STATUS_UNSPECIFIED, reservationId: '' };

async function reserve(d: Deps, round: readonly Claim[], call: Call): Promise<readonly ReserveTanOutcome[]> {
  for (const claim of round) claim.rounds++;
  const claims = round.map(({ tan, upload }) => ({ tan, keysHash: upload.contentHash, event: upload.event }));
  try {
    return (await d.verification.reserveTans({ claims }, call)).outcomes;
  } catch (error) {
    d.report('reserve-tans-failed', error);
    return [];
  }
}

/**
 * Finds out what became of reservations that other uploads hold, by fencing them off: whoever inserts the id first
 * decides. Nothing can be stored under an abandoned id any more.
 */
async function abandon(d: Deps, ids: readonly string[], hour: number): Promise<ReadonlyMap<string, Fate>> {
  if (ids.length === 0) return new Map();
  try {
    return await inTx(d.pool, 'abandon-reservations', async (tx) => {
      await insertAbandoned(tx, ids, hour);
      const states = await reservationStates(tx, ids);
      return new Map([...states].map(([id, state]) => [id, state === 'abandoned' ? 'abandoned' : 'stored']));
    });
  } catch (error) {
    d.report('abandon-reservations-failed', error);
    return new Map();
  }
}

function settle(
  items: readonly { id: string; claim: Claim }[],
  fates: ReadonlyMap<string, Fate>,
  ifStored: UploadStatus,
): void {
  for (const { id, claim } of items) if (fates.get(id) === 'stored') claim.status = ifStored;
}

/** A failure does not fail the upload: its keys are stored, and the sweeper confirms later. */
async function confirm(d: Deps, reservationIds: string[], hour: number, call: Call): Promise<void> {
  if (reservationIds.length === 0) return;
  try {
    await d.verification.confirmTans({ reservationIds }, call);
    await markConfirmed(d.pool, reservationIds, hour);
  } catch (error) {
    d.report('confirm-tans-failed', error);
  }
}

/** True when the TANs can be reserved anew. */
async function release(d: Deps, reservationIds: string[], call: Call): Promise<boolean> {
  if (reservationIds.length === 0) return true;
  try {
    await d.verification.releaseTans({ reservationIds }, call);
    return true;
  } catch (error) {
    d.report('release-tans-failed', error);
    return false;
  }
}

function idsWith(fates: ReadonlyMap<string, Fate>, fate: Fate): string[] {
  return [...fates].filter(([, each]) => each === fate).map(([id]) => id);
}

function hasTime({ clock }: Deps, call: Call): boolean {
  return !call.signal.aborted && clock.monotonicMs() + leastUsefulMs < call.deadline;
}
