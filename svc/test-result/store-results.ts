import { type LabResultServiceService, StoreResultStatus } from '../../gen/mesh/cwa/test_result/v1/test_result.ts';
import { inTx } from '../../lib/db/tx.ts';
import type { Handlers } from '../../lib/rpc/api.ts';
import { unavailable } from '../../lib/rpc/errors.ts';
import { type Delivery, parseDelivery } from './delivery.ts';
import type { Deps } from './deps.ts';
import { judge, type Judgement } from './outcome.ts';
import { insertResults, lockResults, updateResults } from './store.ts';

type StoreResults = Handlers<typeof LabResultServiceService>['storeResults'];

const attempts = 10;

/** One transaction for the list, an outcome for each item (S 3.4 [D], decision 22). */
export const storeResults =
  (d: Deps): StoreResults =>
  async (request) => {
    const now = d.clock.now();
    const delivery = parseDelivery(request, now);
    if (request.allOrNothing && delivery.items.some((item) => typeof item === 'number')) {
      return { outcomes: refuseGoodOnes(delivery) };
    }
    const { outcomes, ignoredFinal, corrections } = await store(d, delivery, request.allOrNothing, now);
    if (ignoredFinal > 0) d.log.info('delivery-after-final-result', { count: ignoredFinal });
    if (corrections > 0) d.log.info('results-corrected', { count: corrections });
    return { outcomes };
  };

async function store(d: Deps, delivery: Delivery, allOrNothing: boolean, now: Date): Promise<Judgement> {
  const ids = [...new Set(delivery.items.flatMap((item) => (typeof item === 'number' ? [] : [item.resultId])))];
  for (let attempt = 1; attempt <= attempts; attempt++) {
    try {
      return await inTx(d.pool, 'store-results', async (tx) => {
        const judgement = judge(delivery, await lockResults(tx, ids), now);
        if (allOrNothing && judgement.outcomes.some((outcome) => outcome === otherFamily)) return refuseAll(judgement);
        if (judgement.changed.length > 0) await updateResults(tx, judgement.changed);
        if (judgement.added.length > 0 && (await insertResults(tx, judgement.added, now)) < judgement.added.length) {
          throw new RivalDelivery();
        }
        return judgement;
      });
    } catch (error) {
      // Somebody stored one of these ids between our look and our insert: judge again, now with that row.
      if (!(error instanceof RivalDelivery)) throw error;
    }
  }
  throw unavailable('RIVAL_DELIVERIES');
}

class RivalDelivery extends Error {}

const otherFamily = StoreResultStatus.STORE_RESULT_STATUS_OTHER_FAMILY;
const listRefused = StoreResultStatus.STORE_RESULT_STATUS_LIST_REFUSED;

function refuseGoodOnes(delivery: Delivery): StoreResultStatus[] {
  return delivery.items.map((item) => (typeof item === 'number' ? item : listRefused));
}

function refuseAll(judgement: Judgement): Judgement {
  const outcomes = judgement.outcomes.map((outcome) => (outcome === otherFamily ? outcome : listRefused));
  return { outcomes, added: [], changed: [], ignoredFinal: 0, corrections: 0 };
}
