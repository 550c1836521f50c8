import {
  type LabResultServiceService,
  type StoreResultsRequest,
  StoreResultStatus,
} from '../../gen/mesh/cwa/test_result/v1/test_result.ts';
import { isDatabaseError, uniqueViolation } from '../../lib/db/errors.ts';
import { inTx, type Tx } from '../../lib/db/tx.ts';
import type { Handlers } from '../../lib/rpc/api.ts';
import { unavailable } from '../../lib/rpc/errors.ts';
import { type Delivery, parseDelivery, receiptsOf } from './delivery.ts';
import { countStored } from './count-stored.ts';
import type { Deps } from './deps.ts';
import { judge, type Judgement } from './outcome.ts';
import { dayOf, hourOf } from './receipt.ts';
import { createReceiptDay, insertReceipts } from './receipt-store.ts';
import { insertResults, lockResults, updateResults } from './store.ts';

type StoreResults = Handlers<typeof LabResultServiceService>['storeResults'];

const attempts = 10;

/**
 * One transaction for the list, an outcome for each item (S 3.4 [D], decision 22). The receipts are in it: one that
 * says "stored" exists exactly when the result does. A refused list leaves its receipts and nothing else.
 */
export const storeResults = (d: Deps): StoreResults => {
  let readyDay = -1;
  return async (request, call) => {
    const now = d.clock.now();
    const delivery = parseDelivery(request, now);
    const day = dayOf(now);
    if (day !== readyDay) await createReceiptDay(d.pool, day);
    readyDay = day;
    const { outcomes, ignoredFinal, corrections } = await store(d, request, delivery, now);
    if (!call.synthetic) countStored(d.metrics, delivery, outcomes);
    if (ignoredFinal > 0) d.log.info('delivery-after-final-result', { count: ignoredFinal });
    if (corrections > 0) d.log.info('results-corrected', { count: corrections });
    return { outcomes };
  };
};

async function store(d: Deps, request: StoreResultsRequest, delivery: Delivery, now: Date): Promise<Judgement> {
  for (let attempt = 1; attempt <= attempts; attempt++) {
    try {
      return await inTx(d.pool, 'store-results', async (tx) => {
        const judgement = await apply(tx, delivery, request.allOrNothing, now);
        await insertReceipts(tx, receiptsOf(request, judgement.outcomes), hourOf(now));
        return judgement;
      });
    } catch (error) {
      // Somebody stored one of these ids between our look and our insert: judge again, now with that row.
      // While an index is rebuilt PostgreSQL may report that as a violation, in spite of "on conflict do nothing".
      if (!(error instanceof RivalDelivery) && !isDatabaseError(error, uniqueViolation)) throw error;
    }
  }
  throw unavailable('RIVAL_DELIVERIES');
}

async function apply(tx: Tx, delivery: Delivery, allOrNothing: boolean, now: Date): Promise<Judgement> {
  const items = delivery.items.filter((item) => typeof item !== 'number');
  if (items.length === 0 || (allOrNothing && items.length < delivery.items.length)) return refused(delivery.items);
  const ids = [...new Set(items.map((item) => item.resultId))];
  const judgement = judge(delivery, await lockResults(tx, ids), now);
  if (allOrNothing && judgement.outcomes.includes(otherFamily)) {
    return refused(judgement.outcomes.map((outcome) => (outcome === otherFamily ? outcome : listRefused)));
  }
  if (judgement.changed.length > 0) await updateResults(tx, judgement.changed);
  if (judgement.added.length > 0 && (await insertResults(tx, judgement.added, now)) < judgement.added.length) {
    throw new RivalDelivery();
  }
  return judgement;
}

class RivalDelivery extends Error {}

const otherFamily = StoreResultStatus.STORE_RESULT_STATUS_OTHER_FAMILY;
const listRefused = StoreResultStatus.STORE_RESULT_STATUS_LIST_REFUSED;

/** Nothing is stored: bad items keep their reason, good ones were in bad company. */
function refused(items: Delivery['items']): Judgement {
  const outcomes = items.map((item) => (typeof item === 'number' ? item : listRefused));
  return { outcomes, added: [], changed: [], ignoredFinal: 0, corrections: 0 };
}
