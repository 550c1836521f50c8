import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { packArchive } from '../../lib/exposure/export-archive.ts';
import { encodeKeyExport } from '../../lib/exposure/key-export.ts';
import { repositoryRoot } from '../mesh/child.ts';

const folder = mkdtempSync(join(tmpdir(), 'cwa-export-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const day = 18_500;
const key = (index: number) => ({
  keyData: Buffer.alloc(16, index),
  transmissionRiskLevel: 6,
  rollingStartIntervalNumber: (day - 1) * 144,
  rollingPeriod: 144,
  reportType: 2,
  daysSinceOnsetOfSymptoms: 2,
});
const head = {
  start: day * 86_400,
  end: (day + 1) * 86_400,
  region: 'DE',
  batchNum: 1,
  batchSize: 1,
  signatureInfos: [],
};
const bin = encodeKeyExport({ ...head, keys: [key(1), key(2)] });

function cwa(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['dev/cwa.ts', 'export', 'inspect', ...args], {
    cwd: repositoryRoot,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

test('export inspect: the form of decision 5 stays as it is; an analysis is added when it is asked for', {
  timeout: 120_000,
}, async () => {
  const [zip, bare, truth] = ['a.zip', 'a.bin', 'truth.json'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(zip, await packArchive(bin, Buffer.alloc(100)));
  writeFileSync(bare, bin);
  writeFileSync(truth, '{"users": 2}');
  const plain = JSON.parse(cwa(zip, '--json').stdout) as Record<string, unknown>;
  expect(Object.keys(plain)).toEqual([
    'start',
    'end',
    'region',
    'batchNum',
    'batchSize',
    'signatureInfos',
    'keyCount',
    'keys',
  ]);
  const { analysis, ...rest } = JSON.parse(cwa(zip, '--json', '--analyse', '--truth', truth).stdout) as typeof plain;
  expect(rest).toEqual(plain);
  expect(analysis).toMatchObject({ keyCount: 2, linkability: { separatedUsers: 2, trueUsers: 2, relativeError: 0 } });
  expect(JSON.parse(cwa(zip, bare, '--json', '--analyse').stdout)).toMatchObject({
    files: [plain, plain],
    analysis: { files: 2, keyCount: 2, repeatedKeys: 2, sizes: { zippedBytes: null } },
  });
  expect(cwa(zip, '--truth', '3').stdout).toContain('3 in truth: off by -33.3 %');
});

test('export inspect: a truth that is none and a file that cannot be read end with status 2 and one sentence', {
  timeout: 120_000,
}, () => {
  writeFileSync(join(folder, 'b.bin'), bin);
  expect(cwa(join(folder, 'b.bin'), '--truth', 'many')).toMatchObject({
    status: 2,
    stderr: 'cwa: --truth: must be a number of users above 0, or a JSON file with one under "users"\n',
  });
  expect(cwa(join(folder, 'none.zip')).status).toBe(2);
});
