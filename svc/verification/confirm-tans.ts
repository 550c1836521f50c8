import type { TanServiceService } from '../../gen/mesh/cwa/verification/v1/verification.ts';
import type { Handlers } from '../../lib/rpc/api.ts';
import { unavailable } from '../../lib/rpc/errors.ts';
import { countTans } from './counts.ts';
import type { Deps } from './deps.ts';
import { togetherOrItemByItem } from './item-by-item.ts';
import { parseReservationIds } from './reservation-id.ts';
import { confirm } from './store/tan.ts';

type ConfirmTans = Handlers<typeof TanServiceService>['confirmTans'];

/** The keys are stored: TANs end, tombstones begin. Repeating it changes nothing (decision 20). */
export const confirmTans =
  (d: Deps): ConfirmTans =>
  async ({ reservationIds }, call) => {
    const confirmAll = async (ids: readonly string[]): Promise<boolean[]> => {
      countTans(d, 'used', await confirm(d.pool, ids, d.clock.now()), call);
      return ids.map(() => true);
    };
    const confirmed = await togetherOrItemByItem(parseReservationIds(reservationIds), confirmAll, false, d.log);
    // The caller must ask again; those that are confirmed stay so.
    if (confirmed.includes(false)) throw unavailable('NOT_ALL_CONFIRMED');
    return {};
  };
