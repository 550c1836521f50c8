import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import JSZip from 'jszip';
import { expect, test } from 'vitest';
import { seededRandom } from '../random/random.ts';
import { openArchive, packArchive } from './export-archive.ts';
import { encodeKeyExport } from './key-export.ts';
import { publishedFields } from './risk-level.ts';
import { writeZip } from './zip-writer.ts';

const large = Buffer.concat(Array.from({ length: 60_000 }, (_, i) => seededKey(i)));
const sig = Buffer.from('some signature');
const entries = [
  { name: 'export.bin', content: large },
  { name: 'export.sig', content: sig },
];

function seededKey(i: number): Buffer {
  return Buffer.concat([seededRandom(`${i}`).bytes(16), Buffer.from('the same in every key')]);
}

/** Everything but the deflated octets and their number, which differ between jszip's deflate and Node's. */
function formOf(zip: Buffer): string[] {
  const end = zip.length - 22;
  const central = zip.readUInt32LE(end + 16);
  const parts: Buffer[] = [];
  for (let at = central; at < end; at += 46 + zip.readUInt16LE(at + 28)) {
    const header = Buffer.from(zip.subarray(at, at + 46 + zip.readUInt16LE(at + 28)));
    const localAt = header.readUInt32LE(42);
    const local = Buffer.from(zip.subarray(localAt, localAt + 30 + zip.readUInt16LE(localAt + 26)));
    header.writeUInt32LE(0, 20);
    header.writeUInt32LE(0, 42);
    local.writeUInt32LE(0, 18);
    parts.push(header, local);
  }
  const record = Buffer.from(zip.subarray(end));
  record.writeUInt32LE(0, 16);
  return [...parts, record].map((part) => part.toString('hex'));
}

test('D row 6: a large archive has the form of a small one, header by header, and equal bytes each time', async () => {
  const zip = await packArchive(large, sig);
  const byJszip = new JSZip();
  for (const { name, content } of entries) {
    byJszip.file(name, content, { date: new Date(Date.UTC(1980, 0, 1)), createFolders: false });
  }
  const other = await byJszip.generateAsync({ type: 'nodebuffer', compression: 'DEFLATE', platform: 'DOS' });
  expect(zip.equals(await writeZip(entries))).toBe(true);
  expect(formOf(zip)).toEqual(formOf(other));
});

test('D row 6: a large archive is read by our own strict reader and by jszip', async () => {
  const zip = await packArchive(large, sig);
  const opened = await openArchive(zip);
  expect(opened.bin.equals(large)).toBe(true);
  expect(opened.sig.equals(sig)).toBe(true);
  const loaded = await JSZip.loadAsync(zip, { checkCRC32: true });
  expect(Object.keys(loaded.files)).toEqual(['export.bin', 'export.sig']);
  expect((await loaded.file('export.bin')?.async('nodebuffer'))?.equals(large)).toBe(true);
});

test.each([
  ['python3', (file: string) => ['-m', 'zipfile', '-t', file], /^Done testing/],
  ['unzip', (file: string) => ['-tqq', file], /^$/],
] as const)('D row 6: a large archive passes the check of %s (skipped without it)', async (program, args, answer) => {
  const folder = mkdtempSync(join(tmpdir(), 'archive-'));
  try {
    const file = join(folder, 'a.zip');
    writeFileSync(file, await packArchive(large, sig));
    expect(execFileSync(program, args(file), { encoding: 'utf8' })).toMatch(answer);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    process.stderr.write(`skipped: no ${program} on this machine\n`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('20,000 keys take at most 18.7 octets each: little more than their random 16', async () => {
  const random = seededRandom('size');
  const keys = Array.from({ length: 20_000 }, () => {
    const transmissionRiskLevel = 3 + random.int(6);
    return {
      keyData: random.bytes(16),
      transmissionRiskLevel,
      rollingStartIntervalNumber: (18_500 - random.int(14)) * 144,
      rollingPeriod: random.int(20) === 0 ? 1 + random.int(143) : 144,
      ...publishedFields(transmissionRiskLevel),
    };
  });
  const bin = encodeKeyExport({
    start: 0,
    end: 3_600,
    region: 'EUR',
    batchNum: 1,
    batchSize: 1,
    signatureInfos: [],
    keys,
  });
  expect((await writeZip([{ name: 'export.bin', content: bin }])).length / keys.length).toBeLessThanOrEqual(18.7);
});

test('entries of no octets are written too', async () => {
  const opened = await openArchive(await writeZip(entries.map(({ name }) => ({ name, content: new Uint8Array() }))));
  expect(opened).toEqual({ bin: Buffer.alloc(0), sig: Buffer.alloc(0) });
});
