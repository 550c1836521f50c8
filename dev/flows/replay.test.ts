import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openArchive } from '../../lib/exposure/export-archive.ts';
import { encodeKeyExport } from '../../lib/exposure/key-export.ts';
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

test.each([
  ['while its mesh starts', 'starting a mesh'],
  ['while it is under way', 'phones have uploaded'],
])(
  'an interrupt of `cwa replay` %s ends it in order: no process and no file is left',
  async (_when, progress) => {
    const folder = mkdtempSync(join(tmpdir(), 'cwa-interrupt-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, 'keys.bin');
    writeFileSync(file, keysOf(14));
    const temporary = mkdtempSync(join(folder, 'tmp-'));
    // In a group of its own: whoever is left of it can be told.
    const tool = spawn(process.execPath, ['dev/cwa.ts', 'replay', file], {
      cwd: repositoryRoot,
      env: { ...process.env, TMPDIR: temporary },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const ended = once(tool, 'exit');
    let told = '';
    let interrupted = false;
    tool.stderr.on('data', (text: Buffer) => {
      told += text.toString();
      if (interrupted || !told.includes(progress)) return;
      interrupted = true;
      tool.kill('SIGINT');
    });
    const [status] = await ended;
    expect(told).toMatch(/cwa: interrupted\n$/);
    expect(status).toBe(2);
    expect(readdirSync(temporary)).toEqual([]);
    expect(() => process.kill(-(tool.pid as number), 0)).toThrow('ESRCH');
  },
  180_000,
);

function keysOf(count: number): Uint8Array {
  const keys = Array.from({ length: count }, (_unused, index) => ({
    keyData: Buffer.alloc(16, index + 1),
    transmissionRiskLevel: 5,
    rollingStartIntervalNumber: midnight / 600 - 144 * (1 + (index % 13)),
    rollingPeriod: 144,
    reportType: 1,
    daysSinceOnsetOfSymptoms: 1,
  }));
  const head = { start: midnight - 86_400, end: midnight, region: 'DE', batchNum: 1, batchSize: 1, signatureInfos: [] };
  return encodeKeyExport({ ...head, keys });
}
