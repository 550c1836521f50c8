import { existsSync } from 'node:fs';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openArchive } from '../../lib/exposure/export-archive.ts';
import { decodeKeyExport } from '../../lib/exposure/key-export-reader.ts';
import { repositoryRoot } from '../mesh/child.ts';
import { replay } from '../replay/replay.ts';

const sample = join(repositoryRoot, '..', 'shared', 'data', 'peer', 'sample_diagnosis_key_file.zip');
const midnight = Date.parse('2020-07-01T00:00:00Z') / 1000;

test('every key of the published sample package comes out in the first hour package (decision 9)', async (context) => {
  if (!existsSync(sample)) context.skip('the peer files are not here: ../shared/data/peer');
  const { keys, end } = decodeKeyExport((await openArchive(readFileSync(sample))).bin);
  const told: string[] = [];
  const result = await replay(keys, end ?? 0, (text) => told.push(text));
  expect(result).toEqual({ in: 140, out: 140, padding: 0, excluded: {} });
  expect(told.filter((text) => text.includes('keys published'))).toHaveLength(1);
}, 120_000);

test('a file with faults of many kinds: what did not come out counts under its rule, and the counts add up', async () => {
  const start = midnight / 600 - 144;
  const good = (index: number) => ({
    keyData: Buffer.from(index.toString(16).padStart(32, '0'), 'hex'),
    rollingStartIntervalNumber: start - 144 * (index % 13),
    transmissionRiskLevel: 3 + (index % 6),
    ...(index % 2 === 0 ? { rollingPeriod: 144 } : {}),
  });
  const { transmissionRiskLevel: _, ...withoutLevel } = good(4_002);
  const faulty = [
    { ...good(4_000), rollingStartIntervalNumber: start + 7 },
    { ...good(4_001), rollingStartIntervalNumber: start - 144 * 20 },
    withoutLevel,
    { ...good(4_003), transmissionRiskLevel: 2 },
    { ...good(4_004), keyData: Buffer.alloc(15) },
    { ...good(4_005), rollingPeriod: 145 },
    { ...good(4_006), rollingStartIntervalNumber: start + 288 },
    good(5),
  ];
  const keys = [...Array.from({ length: 150 }, (_unused, index) => good(index)), ...faulty];
  const result = await replay(keys, midnight, () => {});
  expect(result).toEqual({
    in: 158,
    out: 150,
    padding: 0,
    excluded: {
      ROLLING_START_ALIGNMENT: 1,
      KEY_TOO_OLD: 1,
      LEVEL_OR_ONSET_MISSING: 1,
      RISK_LEVEL_NOT_PUBLISHED: 1,
      KEY_DATA_LENGTH: 1,
      ROLLING_PERIOD: 1,
      ROLLING_START_IN_FUTURE: 1,
      DUPLICATE_OF_AN_EARLIER_KEY: 1,
    },
  });
}, 120_000);
