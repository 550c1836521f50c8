import { inTx } from '../../../lib/db/tx.ts';
import { inSpan } from '../../../lib/telemetry/tracing.ts';
import type { Deps } from '../deps.ts';
import { withLease } from '../lease.ts';
import { forgetObjects, type PublishedObject, readInventory } from '../store/inventory.ts';
import { lockState } from '../store/state.ts';
import { runDistribution } from './run.ts';

export interface RebuildOutcome {
  /** Objects of the inventory that the store did not hold as they were published. */
  readonly missing: number;
  /** Those that are back with the same bytes. */
  readonly equal: number;
  /** Back with equal content, but newly signed by a signer that is not deterministic. */
  readonly signedAnew: number;
  /** Back with other content: packages without the keys that have expired since, and indexes of later hours. */
  readonly changed: number;
  /** Not back: failed, or expired meanwhile. */
  readonly absent: number;
  /** Packages that stand in the store with other bytes than were published. They are never overwritten. */
  readonly foreign: number;
  readonly failures: number;
}

const headsAtOnce = 8;

/**
 * Brings back what a lost or damaged bucket no longer holds. Asks the store for every object of the inventory by its
 * exact name, strikes those that are gone off the inventory in one transaction, and runs: a run publishes whatever the
 * inventory lacks, so one that dies on the way is finished by the next ordinary run.
 */
export async function rebuildStore(d: Deps): Promise<RebuildOutcome | 'busy'> {
  const lost = await withLease(d.pool, async (runNumber) => {
    const found = await inSpan('compare with store', {}, () => compareWithStore(d));
    await inTx(d.pool, 'forget-lost-objects', async (tx) => {
      await lockState(tx, runNumber);
      await forgetObjects(
        tx,
        found.missing.map(({ objectKey }) => objectKey),
      );
    });
    return found;
  });
  if (lost === 'busy') return lost;
  const run = await runDistribution(d);
  if (run === 'busy') return run;
  const now = await readInventory(d.pool);
  const counts = { equal: 0, signedAnew: 0, changed: 0, absent: 0 };
  for (const before of lost.missing) counts[fateOf(before, now.get(before.objectKey))]++;
  return { missing: lost.missing.length, ...counts, foreign: lost.foreign, failures: run.failures + lost.foreign };
}

async function compareWithStore(d: Deps): Promise<{ missing: PublishedObject[]; foreign: number }> {
  const known = [...(await readInventory(d.pool)).values()];
  const missing: PublishedObject[] = [];
  let foreign = 0;
  for (let from = 0; from < known.length; from += headsAtOnce) {
    const some = known.slice(from, from + headsAtOnce);
    const heads = await Promise.all(some.map(({ objectKey }) => d.blob.head(objectKey)));
    for (const [i, object] of some.entries()) {
      const head = heads[i];
      if (head?.etag === object.etag) continue;
      // Phones keep a package by its name: one that exists stays as it is.
      if (head === undefined || !isPackage(object)) missing.push(object);
      else {
        foreign++;
        d.log.error('published-object-differs', { file: object.objectKey });
      }
    }
  }
  return { missing, foreign };
}

const isPackage = ({ kind }: PublishedObject): boolean => kind === 'hour' || kind === 'day' || kind === 'warning-hour';

function fateOf(
  before: PublishedObject,
  now: PublishedObject | undefined,
): 'equal' | 'signedAnew' | 'changed' | 'absent' {
  if (now === undefined) return 'absent';
  if (now.etag === before.etag) return 'equal';
  return now.contentHash === before.contentHash ? 'signedAnew' : 'changed';
}
