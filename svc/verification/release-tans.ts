import type { TanServiceService } from '../../gen/mesh/cwa/verification/v1/verification.ts';
import { inTx } from '../../lib/db/tx.ts';
import type { Handlers } from '../../lib/rpc/api.ts';
import type { Deps } from './deps.ts';
import { parseReservationIds } from './reservation-id.ts';
import { lockSessionOf, release } from './store/tan.ts';

type ReleaseTans = Handlers<typeof TanServiceService>['releaseTans'];

/** Gives reservations back that are still the current ones of their TANs. Rare, so one after the other. */
export const releaseTans =
  (d: Deps): ReleaseTans =>
  async ({ reservationIds }) => {
    for (const id of parseReservationIds(reservationIds)) {
      await inTx(d.pool, 'release-tan', async (tx) => {
        await lockSessionOf(tx, id);
        await release(tx, id);
      });
    }
    return {};
  };
