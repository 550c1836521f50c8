import { spawnSync } from 'node:child_process';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import JSZip from 'jszip';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openArchive, packArchive } from '../../lib/exposure/export-archive.ts';
import { encodeKeyExport } from '../../lib/exposure/key-export.ts';
import { publishedFields } from '../../lib/exposure/risk-level.ts';
import { Secret } from '../../lib/process/secret.ts';
import { seededRandom } from '../../lib/random/random.ts';
import { buildConfiguration } from '../../svc/distribution/app-config/build.ts';
import { defaultConfiguration, placeholderDigest } from '../../svc/distribution/app-config/source.ts';
import { signArchive, signatureInfos } from '../../svc/distribution/signed-archive.ts';
import { pemSigner } from '../../svc/distribution/signer.ts';

const tools = ['openssl', 'unzip', 'awk', 'od'];
const missing = tools.filter((tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0);
if (missing.length > 0)
  console.log(`${missing.join(', ')} not installed: archives were not checked with other people's tools`);
const withTools = test.skipIf(missing.length > 0);

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cwa-verify-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function aSigner(keyVersion: string) {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const pem = privateKey.export({ type: 'sec1', format: 'pem' }) as string;
  const publicFile = join(folder, `${keyVersion}-${Math.random()}.pem`);
  writeFileSync(publicFile, createPublicKey(pem).export({ type: 'spki', format: 'pem' }));
  return {
    publicFile,
    signer: pemSigner(new Secret(pem), { keyId: '262', keyVersion, appBundleId: 'de.rki.coronawarnapp' }),
  };
}

const script = join(import.meta.dirname, 'verify-export.sh');
function verify(zip: Uint8Array, publicFile: string, ...options: string[]) {
  const file = join(folder, 'file.zip');
  writeFileSync(file, zip);
  const { status, stdout } = spawnSync(script, [...options, file, publicFile], { encoding: 'utf8' });
  return { status, lines: stdout.trimEnd().split('\n') };
}

const random = seededRandom('verify');
const keys = (count: number) =>
  Array.from({ length: count }, (_, i) => {
    const level = 3 + (i % 6);
    return {
      keyData: random.bytes(16),
      transmissionRiskLevel: level,
      rollingStartIntervalNumber: 2_664_000 + 144 * (i % 14),
      // Both take two bytes, so that two keys can change places below.
      rollingPeriod: i % 5 === 0 ? 130 : 144,
      ...publishedFields(level),
    };
  });

function anExport(signers: ReturnType<typeof aSigner>[], count: number) {
  const active = signers.map(({ signer }) => signer);
  const bin = encodeKeyExport({
    start: 1_599_955_200,
    end: 1_599_958_800,
    region: 'EUR',
    batchNum: 1,
    batchSize: 1,
    signatureInfos: signatureInfos(active),
    keys: keys(count),
  });
  return signArchive(bin, active);
}

withTools(
  'issue 4: our key packages verify with openssl and are read by a parser that shares no code with the exporter',
  async () => {
    const one = aSigner('v1');
    for (const count of [0, 140, 2000]) {
      expect(verify((await anExport([one], count)).zip, one.publicFile)).toEqual({
        status: 0,
        lines: ['window 1599955200 1599958800', 'region EUR', 'batch 1 of 1', `keys ${count}`, 'signature 262-v1 yes'],
      });
    }
  },
);

withTools('decision 29: both signatures of an overlap verify, each under its own key', async () => {
  const [next, old, stranger] = [aSigner('v2'), aSigner('v1'), aSigner('v1')];
  const { zip } = await anExport([next, old], 150);
  const verdicts = (publicFile: string) => verify(zip, publicFile).lines.filter((line) => line.startsWith('signature'));
  expect(verdicts(next.publicFile)).toEqual(['signature 262-v2 yes', 'signature 262-v1 no']);
  expect(verdicts(old.publicFile)).toEqual(['signature 262-v2 no', 'signature 262-v1 yes']);
  expect(verify(zip, stranger.publicFile)).toMatchObject({ status: 1 });
});

withTools('configuration archives verify likewise, without header', async () => {
  const one = aSigner('v1');
  const files = buildConfiguration(defaultConfiguration(placeholderDigest), { supportedCountries: ['DE'] });
  for (const bin of Object.values(files)) {
    const { zip } = await signArchive(bin, [one.signer]);
    expect(verify(zip, one.publicFile, '--bare')).toEqual({ status: 0, lines: ['signature 262-v1 yes'] });
    expect(verify(zip, one.publicFile).lines).toEqual(['export.bin: header']);
  }
});

withTools(
  'what is wrong is found: a changed byte, another order, a third entry, a missing signature info',
  async () => {
    const one = aSigner('v1');
    const { bin, sig } = await openArchive((await anExport([one], 140)).zip);
    const changed = Buffer.from(bin);
    changed.writeUInt8(changed.readUInt8(20) ^ 1, 20);
    const last = 34;
    const swapped = Buffer.concat([bin.subarray(0, -2 * last), bin.subarray(-last), bin.subarray(-2 * last, -last)]);
    const third = await JSZip.loadAsync(await packArchive(bin, sig));
    third.file('more', 'more');
    const { bin: withOther } = await openArchive((await anExport([aSigner('v3')], 140)).zip);
    expect(verify(await packArchive(changed, sig), one.publicFile).lines.at(-1)).toBe(
      'no signature verifies under this key',
    );
    expect(verify(await packArchive(swapped, sig), one.publicFile).lines).toEqual([
      'export.bin: broken: keys are not ascending',
    ]);
    expect(verify(await third.generateAsync({ type: 'nodebuffer' }), one.publicFile).lines[0]).toContain('entries');
    expect(verify(await packArchive(withOther, sig), one.publicFile).lines.at(-1)).toContain('signature infos');
    expect(verify(await packArchive(bin.subarray(0, -5), sig), one.publicFile).status).toBe(1);
  },
);
