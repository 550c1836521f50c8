import type { ExportKey } from '../../lib/exposure/key-writer.ts';
import { publishedFields } from '../../lib/exposure/risk-level.ts';
import type { PackedKeys } from './store/key-pool.ts';

/** Bucket of the keys that belong into the packages of the own country. */
const ownBucket = 1;

/**
 * The keys of a package, in the order of its columns; report type and days since onset come from the risk level alone
 * (D 2.4). One object for all of them, filled anew each time: 600,000 take 100 MB otherwise.
 */
export function* exportKeys(packed: PackedKeys, which: 'own' | 'all'): Generator<ExportKey> {
  const fields = Array.from({ length: 8 }, (_, i) => publishedFields(i + 1));
  const keyData = Buffer.alloc(16);
  const key: ExportKey = {
    keyData,
    transmissionRiskLevel: 0,
    rollingStartIntervalNumber: 0,
    rollingPeriod: 0,
    reportType: 0,
    daysSinceOnsetOfSymptoms: 0,
  };
  for (let i = 0; i < packed.key_count; i++) {
    if (which === 'own' && packed.buckets.readInt16BE(2 * i) !== ownBucket) continue;
    const level = packed.levels.readInt16BE(2 * i);
    const published = fields[level - 1];
    if (published === undefined) throw new RangeError('a stored transmission risk level is outside 1..8');
    packed.key_data.copy(keyData, 0, 16 * i, 16 * i + 16);
    key.transmissionRiskLevel = level;
    key.rollingStartIntervalNumber = packed.starts.readInt32BE(4 * i);
    key.rollingPeriod = packed.periods.readInt16BE(2 * i);
    key.reportType = published.reportType;
    key.daysSinceOnsetOfSymptoms = published.daysSinceOnsetOfSymptoms;
    yield key;
  }
}

export function countKeys(packed: PackedKeys, which: 'own' | 'all'): number {
  if (which === 'all') return packed.key_count;
  let own = 0;
  for (let i = 0; i < packed.key_count; i++) if (packed.buckets.readInt16BE(2 * i) === ownBucket) own++;
  return own;
}
