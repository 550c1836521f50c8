import { TeleTanType } from '../../gen/mesh/cwa/verification/v1/verification.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** How long things last, in milliseconds (S 2.9). They are promises to users, so no setting changes them. */
export const lifetimes = {
  session: 21 * dayMs,
  /** A hash stays registered as long as test-result may answer for it. */
  registeredHash: 60 * dayMs,
  tanValid: 14 * dayMs,
  tanKept: 21 * dayMs,
  /** Phones retry an upload whose answer was lost from 15 minutes on (S 1.9). */
  tanTombstone: 24 * hourMs,
  teleTanTest: hourMs,
  teleTanEvent: 48 * hourMs,
  /** The window of the issue limit; teleTANs stay at least that long, so that they are counted. */
  teleTanLimit: hourMs,
  teleTanAttempt: 24 * hourMs,
} as const;

export const teleTanValidMs = (type: TeleTanType): number =>
  type === TeleTanType.TELE_TAN_TYPE_EVENT ? lifetimes.teleTanEvent : lifetimes.teleTanTest;

/** The instant `ms` before `now`. */
export const before = (now: Date, ms: number): Date => new Date(now.getTime() - ms);
export const after = (now: Date, ms: number): Date => new Date(now.getTime() + ms);
