import { refusedStatement } from '../../lib/db/errors.ts';
import { inTx } from '../../lib/db/tx.ts';
import type { Deps } from './deps.ts';
import { type DiagnosisKey, withPadding } from './diagnosis-key.ts';
import type { ParsedUpload } from './payload.ts';
import { insertDiagnosisKeys, type KeyRow } from './store/diagnosis-key.ts';
import { isMissingKeyDay } from './store/key-day.ts';
import { insertProbeKeys } from './store/probe-key.ts';
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

/** Rows of one upload: keys of people, and those that the prober made up (decision 35). */
interface UploadRows {
  /** Keys that the upload brought and that are never stored; of the prober's none are counted. */
  readonly dropped: number;
  readonly keys: readonly KeyRow[];
  readonly probes: readonly DiagnosisKey[];
}

/** How often retention may drop the day of a key between being made sure of and being stored in. */
const maxAttempts = 10;

async function storeTogether(
  d: Deps,
  uploads: readonly ReservedUpload[],
  hour: number,
): Promise<ReadonlyMap<string, Fate>> {
  const rows = await rowsOf(d, uploads);
  for (let attempt = 1; ; attempt++) {
    try {
      await d.keyDays.keepFor([...rows.values()].flatMap(({ keys }) => keys));
      return await storeRows(d, rows, hour);
    } catch (error) {
      if (!isMissingKeyDay(error) || attempt === maxAttempts) throw error;
      d.keyDays.forget();
    }
  }
}

async function storeRows(
  d: Deps,
  rows: ReadonlyMap<string, UploadRows>,
  hour: number,
): Promise<ReadonlyMap<string, Fate>> {
  const ids = [...rows.keys()];
  const { stored, added, fates } = await inTx(d.pool, 'store-uploads', async (tx) => {
    const fenced = await insertStored(tx, ids, hour);
    const stored = [...fenced].flatMap((id) => rows.get(id) ?? []);
    const added = await insertDiagnosisKeys(
      tx,
      stored.flatMap(({ keys }) => keys),
    );
    const probes = stored.flatMap((upload) => upload.probes);
    if (probes.length > 0) await insertProbeKeys(tx, probes);
    const others = ids.filter((id) => !fenced.has(id));
    const states = others.length === 0 ? new Map() : await reservationStates(tx, others);
    const fates = new Map(ids.map((id) => [id, states.get(id) === 'abandoned' ? 'abandoned' : 'stored'] as const));
    return { stored, added, fates };
  });
  countKeys(d, stored, added);
  return fates;
}

/** Keys of phones, without the random ones beside them: those would let a single upload be seen in a step. */
function countKeys({ metrics, config }: Deps, stored: readonly UploadRows[], added: number): void {
  const rows = stored.reduce((sum, { keys }) => sum + keys.length, 0);
  const known = rows - added;
  metrics.count('cwa.submission.keys', { 'cwa.outcome': 'known' }, known);
  metrics.count('cwa.submission.keys', { 'cwa.outcome': 'stored' }, rows / config.keyPaddingMultiplier - known);
  const dropped = stored.reduce((sum, upload) => sum + upload.dropped, 0);
  metrics.count('cwa.submission.keys', { 'cwa.outcome': 'dropped' }, dropped);
}

async function rowsOf(d: Deps, uploads: readonly ReservedUpload[]): Promise<ReadonlyMap<string, UploadRows>> {
  const split = uploads.map(({ id, upload }) => {
    const { keys = [], probes = [] } = Object.groupBy(upload.keys, ({ keyData }) =>
      d.isProbeKey(keyData) ? 'probes' : 'keys',
    );
    return { id, upload, keys, probes };
  });
  const real = split.filter(({ keys }) => keys.length > 0);
  const sets = real.map(({ upload }) => ({ origin: upload.origin, visited: upload.visitedCountries }));
  const ids = await d.countrySets.idsOf(sets);
  const setOf = new Map(real.map(({ id }, i) => [id, ids[i] as number]));
  return new Map(
    split.map(({ id, upload, keys, probes }) => {
      const padded = withPadding(keys, d.config.keyPaddingMultiplier, d.random);
      const rows = padded.map((key) => ({ ...key, countrySetId: setOf.get(id) ?? 0 }));
      return [id, { keys: rows, probes, dropped: probes.length === 0 ? upload.dropped : 0 }];
    }),
  );
}
