import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import JSZip from 'jszip';
import { expect, test } from 'vitest';
import { seededRandom } from '../random/random.ts';
import { openArchive, packArchive } from './export-archive.ts';
import { buildZip } from './fixtures/zip-builder.ts';

const bin = Buffer.from('EK Export v1    some bytes of an export, long enough to deflate deflate deflate');
const sig = Buffer.from('some signature');
const good = [
  { name: 'export.bin', data: bin },
  { name: 'export.sig', data: sig },
];
const peer = new URL('../../../shared/data/peer/', import.meta.url);

test('D row 6: zip form, two entries, names exact, streamable: export.bin, then export.sig, fixed date 1980-01-01, sizes in the local header, equal bytes each time', async () => {
  const zip = await packArchive(bin, sig);
  expect((await packArchive(bin, sig)).equals(zip)).toBe(true);
  const opened = await openArchive(zip);
  expect(opened.bin.equals(bin)).toBe(true);
  expect(opened.sig.equals(sig)).toBe(true);
  expect(Object.keys((await JSZip.loadAsync(zip)).files)).toEqual(['export.bin', 'export.sig']);
  expect(zip.toString('latin1', 30, 40)).toBe('export.bin');
  expect(zip.readUInt16LE(6) & 8).toBe(0);
  expect(zip.readUInt16LE(8)).toBe(8);
  expect(zip.readUInt16LE(12)).toBe(0x0021);
  expect(zip.readUInt16LE(10)).toBe(0);
  expect(zip.readUInt32LE(22)).toBe(bin.length);
});

test('an empty export.bin and an archive of random bytes go through', async () => {
  for (const size of [0, 1, 300_000]) {
    const content = seededRandom(`${size}`).bytes(size);
    expect((await openArchive(await packArchive(content, sig))).bin.equals(content)).toBe(true);
  }
});

test('V-1: data descriptors behind deflated entries, with and without signature, and impossible dates are read', async () => {
  for (const descriptor of ['signed', 'bare'] as const) {
    const zip = buildZip(good.map((entry) => ({ ...entry, descriptor, date: 0 })));
    expect((await openArchive(zip)).bin.equals(bin)).toBe(true);
  }
});

test('V-1: stored entries with known sizes and any order of the two are read', async () => {
  const zip = buildZip([
    { ...(good[1] as { name: string; data: Buffer }), stored: true },
    good[0] as { name: string; data: Buffer },
  ]);
  expect((await openArchive(zip)).sig.equals(sig)).toBe(true);
});

const binOnly = good.slice(0, 1);
test.each([
  [
    'extra entry',
    buildZip([...good, { name: 'readme.txt', data: sig }]),
    'ARCHIVE_ENTRY_EXTRA',
    /neither export.bin nor export.sig \(byte \d+\)/,
  ],
  ['folder entry', buildZip([...good, { name: 'folder/', data: Buffer.alloc(0) }]), 'ARCHIVE_ENTRY_EXTRA', /byte/],
  ['duplicate', buildZip([...good, ...binOnly]), 'ARCHIVE_ENTRY_DUPLICATE', /export.bin is there twice \(byte \d+\)/],
  ['missing signature', buildZip(binOnly), 'ARCHIVE_ENTRY_MISSING', /export.sig is missing/],
  ['no entry', buildZip([]), 'ARCHIVE_ENTRY_MISSING', /export.bin is missing/],
  ['.. in the name', buildZip([...binOnly, { name: '../export.sig', data: sig }]), 'ARCHIVE_ENTRY_NAME', /"\.\."/],
  [
    '.. with backslash',
    buildZip([...binOnly, { name: 'a\\..\\export.sig', data: sig }]),
    'ARCHIVE_ENTRY_NAME',
    /"\.\."/,
  ],
  ['leading slash', buildZip([...binOnly, { name: '/export.sig', data: sig }]), 'ARCHIVE_ENTRY_EXTRA', /byte/],
  ['other case', buildZip([...binOnly, { name: 'EXPORT.SIG', data: sig }]), 'ARCHIVE_ENTRY_EXTRA', /byte/],
  [
    'stored with a descriptor',
    buildZip([...binOnly, { name: 'export.sig', data: sig, stored: true, descriptor: 'signed' }]),
    'ARCHIVE_ENTRY_HEADER',
    /export.sig is stored, but its size comes only after it/,
  ],
  [
    'an entry only in the local headers',
    buildZip([...good, { name: 'hidden', data: sig, hidden: true }]),
    'ARCHIVE_ENTRY_EXTRA',
    /between the last entry and the directory/,
  ],
  [
    'an entry hidden in the middle',
    buildZip([...binOnly, { name: 'hidden', data: sig, hidden: true }, ...good.slice(1)]),
    'ARCHIVE_ENTRY_HEADER',
    /export.sig does not start where/,
  ],
  [
    'another name in the local header',
    buildZip([...binOnly, { name: 'export.sig', localName: 'other.sig1', data: sig }]),
    'ARCHIVE_ENTRY_HEADER',
    /another name/,
  ],
  [
    'encrypted',
    buildZip([...binOnly, { name: 'export.sig', data: sig, flags: 1 }]),
    'ARCHIVE_ENTRY_HEADER',
    /encrypted/,
  ],
  [
    'unknown method',
    buildZip([...binOnly, { name: 'export.sig', data: sig, method: 12 }]),
    'ARCHIVE_ENTRY_HEADER',
    /method 12/,
  ],
  [
    'wrong checksum',
    buildZip([...binOnly, { name: 'export.sig', data: sig, crc: 1 }]),
    'ARCHIVE_ENTRY_DATA',
    /export.sig: checksum differs/,
  ],
  [
    'bomb',
    buildZip([
      { name: 'export.bin', data: Buffer.alloc(1000), packed: deflateRawSync(Buffer.alloc(5_000_000)) },
      ...good.slice(1),
    ]),
    'ARCHIVE_ENTRY_DATA',
    /export.bin: cannot be inflated/,
  ],
  [
    'huge claim',
    buildZip([{ name: 'export.bin', data: bin, size: 2 ** 31 }, ...good.slice(1)]),
    'ARCHIVE_TOO_LARGE',
    /export.bin: claims 2147483648 octets/,
  ],
  ['garbage', Buffer.from('this is not a zip archive at all'), 'ARCHIVE_UNREADABLE', /not a ZIP archive/],
  ['empty file', Buffer.alloc(0), 'ARCHIVE_UNREADABLE', /not a ZIP archive/],
  ['something in front', Buffer.concat([Buffer.from('x'), buildZip(good)]), 'ARCHIVE_UNREADABLE', /byte/],
  ['something behind', Buffer.concat([buildZip(good), Buffer.from('x')]), 'ARCHIVE_UNREADABLE', /no end record/],
] as const)('V-1 hostile archive: %s is refused', async (_, zip, reason, message) => {
  await expect(openArchive(zip)).rejects.toThrow(
    expect.objectContaining({ reason, message: expect.stringMatching(message) }),
  );
});

test('V-1 hostile archive: truncated anywhere is refused by a FormatError', async () => {
  const zip = await packArchive(bin, sig);
  for (let length = 0; length < zip.length; length++) {
    await expect(openArchive(zip.subarray(0, length))).rejects.toMatchObject({ name: 'FormatError' });
  }
});

test('V-1 hostile archive: one damaged byte either leaves both contents intact or is refused by a FormatError', async () => {
  const zip = await packArchive(bin, sig);
  for (let at = 0; at < zip.length; at++) {
    const damaged = Buffer.from(zip);
    damaged[at] = (damaged[at] as number) ^ 0x55;
    try {
      const opened = await openArchive(damaged);
      expect(opened.bin.equals(bin) && opened.sig.equals(sig)).toBe(true);
    } catch (error) {
      expect((error as Error).name).toBe('FormatError');
    }
  }
});

test.skipIf(!existsSync(peer))(
  'V-1: both peer archives open (skipped when ../shared/data/peer is missing)',
  async () => {
    for (const [name, size] of [
      ['keys.bin', 900_000],
      ['sample_diagnosis_key_file.zip', 3000],
    ] as const) {
      const opened = await openArchive(readFileSync(new URL(name, peer)));
      expect(opened.bin.toString('latin1', 0, 16)).toBe('EK Export v1    ');
      expect(opened.bin.length).toBeGreaterThan(size / 2);
    }
  },
);

test('another implementation reads the archive (skipped without python3)', async ({ skip }) => {
  const folder = mkdtempSync(join(tmpdir(), 'archive-'));
  try {
    const file = join(folder, 'a.zip');
    writeFileSync(file, await packArchive(bin, sig));
    const script =
      'import sys,zipfile; z=zipfile.ZipFile(sys.argv[1]); print(z.testzip(), z.namelist(), z.infolist()[0].date_time)';
    const out = execFileSync('python3', ['-c', script, file], { encoding: 'utf8' });
    expect(out.trim()).toBe("None ['export.bin', 'export.sig'] (1980, 1, 1, 0, 0, 0)");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') skip('no python3 on this machine');
    throw error;
  } finally {
    rmSync(folder, { recursive: true });
  }
});
