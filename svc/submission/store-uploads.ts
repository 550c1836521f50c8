import { refusedStatement } from '../../lib/db/errors.ts';
import { inTx } from '../../lib/db/tx.ts';
import type { Deps } from './deps.ts';
import { withPadding } from './diagnosis-key.ts';
import type { ParsedUpload } from './payload.ts';
import { insertDiagnosisKeys, type KeyRow } from './store/diagnosis-key.ts';
import { isMissingKeyDay } from './store/key-day.ts';
import { insertStored, reservationStates } from './store/reservation.ts';

export interface ReservedUpload {
  /** The reservation, a UUID. */
  readonly id: string;
  readonly upload: ParsedUpload;
}

/** What is certain of a reservation: its keys are stored, or can no longer be. */
export type Fate = 'stored' | 'abandoned';

/**
 * Stores the keys of reserved uploads together with their fences, in one transaction. Uploads that are missing in the
 * answer are not certain; a retry is safe. When PostgreSQL refuses the whole, each upload is tried on its own, so that
 * only the one that is refused fails.
 */
export async function storeUploads(
  d: Deps,
  uploads: readonly ReservedUpload[],
  hour: number,
  hasTime: () => boolean,
): Promise<ReadonlyMap<string, Fate>> {
  if (uploads.length === 0 || !hasTime()) return new Map();
  try {
    return await storeTogether(d, uploads, hour);
  } catch (error) {
    d.report('store-uploads-failed', error);
    if (uploads.length === 1 || !refusedStatement(error)) return new Map();
  }
  const fates = new Map<string, Fate>();
  for (const upload of uploads) {
    for (const [id, fate] of await storeUploads(d, [upload], hour, hasTime)) fates.set(id, fate);
  }
  return fates;
}

/** How often retention may drop the day of a key between being made sure of and being stored in. */
const maxAttempts = 3;

async function storeTogether(
  d: Deps,
  uploads: readonly ReservedUpload[],
  hour: number,
): Promise<ReadonlyMap<string, Fate>> {
  const rows = await rowsOf(d, uploads);
  for (let attempt = 1; ; attempt++) {
    try {
      await d.keyDays.keepFor([...rows.values()].flat());
      return await storeRows(d, rows, hour);
    } catch (error) {
      if (!isMissingKeyDay(error) || attempt === maxAttempts) throw error;
      d.keyDays.forget();
    }
  }
}

async function storeRows(
  d: Deps,
  rows: ReadonlyMap<string, KeyRow[]>,
  hour: number,
): Promise<ReadonlyMap<string, Fate>> {
  const ids = [...rows.keys()];
  return inTx(d.pool, 'store-uploads', async (tx) => {
    const fenced = await insertStored(tx, ids, hour);
    await insertDiagnosisKeys(
      tx,
      [...fenced].flatMap((id) => rows.get(id) ?? []),
    );
    const others = ids.filter((id) => !fenced.has(id));
    const states = others.length === 0 ? new Map() : await reservationStates(tx, others);
    return new Map(ids.map((id) => [id, states.get(id) === 'abandoned' ? 'abandoned' : 'stored'] as const));
  });
}

async function rowsOf(d: Deps, uploads: readonly ReservedUpload[]): Promise<ReadonlyMap<string, KeyRow[]>> {
  const sets = uploads.map(({ upload }) => ({ origin: upload.origin, visited: upload.visitedCountries }));
  const countrySetIds = await d.countrySets.idsOf(sets);
  return new Map(
    uploads.map(({ id, upload }, i) => {
      const countrySetId = countrySetIds[i] as number;
      const keys = withPadding(upload.keys, d.config.keyPaddingMultiplier, d.random);
      return [id, keys.map((key) => ({ ...key, countrySetId }))];
    }),
  );
}
