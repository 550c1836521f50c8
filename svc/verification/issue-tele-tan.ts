import { TeleTanType, type TeleTanServiceService } from '../../gen/mesh/cwa/verification/v1/verification.ts';
import { inTx } from '../../lib/db/tx.ts';
import { newTeleTan } from '../../lib/exposure/token-format.ts';
import type { Handlers } from '../../lib/rpc/api.ts';
import { invalidArgument } from '../../lib/rpc/errors.ts';
import { countTeleTans } from './counts.ts';
import type { Deps } from './deps.ts';
import { after, before, lifetimes, teleTanValidMs } from './lifetimes.ts';
import { insertTeleTan, lockTeleTanIssue, readTeleTanCount } from './store/tele-tan.ts';
import { teleTanHash } from './stored-hash.ts';

type IssueTeleTan = Handlers<typeof TeleTanServiceService>['issueTeleTan'];

const warnFrom = 0.8;

/** Issues a teleTAN for the hotline to dictate, within a limit that holds for all processes together (S 2.6). */
export const issueTeleTan =
  (d: Deps): IssueTeleTan =>
  async ({ type }, call) => {
    if (type !== TeleTanType.TELE_TAN_TYPE_TEST && type !== TeleTanType.TELE_TAN_TYPE_EVENT)
      throw invalidArgument('TELE_TAN_TYPE');
    const limit = d.rules.teleTansPerHour;
    const { teleTan, count } = await inTx(d.pool, 'issue-tele-tan', async (tx) => {
      await lockTeleTanIssue(tx);
      // Only now: whoever waited for the lock must not count with an older time.
      const now = d.clock.now();
      const issued = await readTeleTanCount(tx, before(now, lifetimes.teleTanLimit));
      if (issued >= limit) return { teleTan: undefined, count: issued };
      for (;;) {
        const candidate = newTeleTan(d.random);
        const hash = teleTanHash(d.rules.teleTanPepper, candidate);
        const inserted = await insertTeleTan(tx, { hash, type, now, validUntil: after(now, teleTanValidMs(type)) });
        // Another stored teleTAN is the same: draw again (S 2.8).
        if (inserted) return { teleTan: candidate, count: issued + 1 };
      }
    });
    if (count >= limit * warnFrom) d.log.warn('tele-tan-limit-near');
    if (teleTan === undefined) return { outcome: { $case: 'limitReached', value: true } };
    countTeleTans(d, 'issued', 1, call);
    return { outcome: { $case: 'teleTan', value: teleTan } };
  };
