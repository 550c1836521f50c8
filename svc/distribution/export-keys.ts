import type { ExportKey } from '../../lib/exposure/key-writer.ts';
import { publishedFields } from '../../lib/exposure/risk-level.ts';
import type { PackedKeys } from './store/key-pool.ts';

export interface PackageKeys {
  /** Keys of the own country. */
  readonly own: readonly ExportKey[];
  readonly all: readonly ExportKey[];
}

/** Unpacks the columns of a package; report type and days since onset come from the risk level alone (D 2.4). */
export function exportKeys(packed: PackedKeys): PackageKeys {
  const fields = Array.from({ length: 8 }, (_, i) => publishedFields(i + 1));
  const own: ExportKey[] = [];
  const all: ExportKey[] = [];
  for (let i = 0; i < packed.key_count; i++) {
    const transmissionRiskLevel = packed.levels.readInt16BE(2 * i);
    const published = fields[transmissionRiskLevel - 1];
    if (published === undefined) throw new RangeError('a stored transmission risk level is outside 1..8');
    const key = {
      keyData: packed.key_data.subarray(16 * i, 16 * i + 16),
      transmissionRiskLevel,
      rollingStartIntervalNumber: packed.starts.readInt32BE(4 * i),
      rollingPeriod: packed.periods.readInt16BE(2 * i),
      reportType: published.reportType,
      daysSinceOnsetOfSymptoms: published.daysSinceOnsetOfSymptoms,
    };
    all.push(key);
    if (packed.buckets.readInt16BE(2 * i) === 1) own.push(key);
  }
  return { own, all };
}
