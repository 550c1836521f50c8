import { UUID_PATTERN } from '../../lib/exposure/token-format.ts';
import { invalidArgument } from '../../lib/rpc/errors.ts';

/** Reservation ids come from this service, so a malformed one is a fault of the caller. Each once, in order. */
export function parseReservationIds(ids: readonly string[]): string[] {
  if (!ids.every((id) => UUID_PATTERN.test(id))) throw invalidArgument('RESERVATION_ID');
  return [...new Set(ids)].sort();
}
