import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { openArchive } from '../../lib/exposure/export-archive.ts';
import { decodeSignatureList } from '../../lib/exposure/key-export-reader.ts';
import { trustedKeys, verifySignatureList } from '../../lib/exposure/signature-list.ts';
import { Secret } from '../../lib/process/secret.ts';
import { openPackage, packageKey } from './fixtures/read-store.ts';
import { testSigner, testSigningKey, world } from './fixtures/world.ts';
import { runDistribution } from './jobs/run.ts';
import { pemSigner } from './signer.ts';

const pair = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const pem = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
const newSigner = pemSigner(new Secret(pem), {
  keyId: '262',
  keyVersion: 'v2',
  appBundleId: 'de.rki.coronawarnapp-dev',
});

test('decision 29: during the overlap every new package carries both signatures, newest first; configuration is signed again once at its start and once at its end', async () => {
  const w = await world();
  await w.run();
  w.submit(140);
  await w.nextHour();
  const before = w.store.objects();
  const during = { ...w.deps, signers: [newSigner, testSigner] };
  w.store.forgetRequests();
  await runDistribution(during);
  const resigned = w.store.requests.filter(({ operation }) => operation === 'put').map(({ key }) => key);
  expect(resigned).toEqual([
    'version/v1/configuration/country/DE/app_config',
    'version/v1/app_config_android',
    'version/v1/app_config_ios',
    'version/v2/app_config_android',
    'version/v2/app_config_ios',
    'version/v1/stats',
  ]);
  expect(w.store.objects().get(packageKey('DE', '2020-09-13', 10))).toEqual(
    before.get(packageKey('DE', '2020-09-13', 10)),
  );
  w.store.forgetRequests();
  await runDistribution(during);
  expect(w.store.requests).toEqual([]);

  w.submit(140);
  w.clock.set('2020-09-13T12:05:00Z');
  await runDistribution(during);
  const file = await openPackage(w.store, packageKey('EUR', '2020-09-13', 11));
  expect(file.signatureInfos.map(({ verificationKeyVersion }) => verificationKeyVersion)).toEqual(['v2', 'v1']);
  expect(file.signatures.map(({ signatureInfo }) => signatureInfo)).toEqual(file.signatureInfos);
  for (const keys of [{ '262-v1': publicOf(testSigningKey.reveal()) }, { '262-v2': publicOf(pem) }]) {
    expect(verifySignatureList(file.bin, file.signatures, trustedKeys(keys)).ok).toBe(true);
  }
  const config = await openArchive(w.store.objects().get('version/v2/app_config_android')?.body ?? Buffer.alloc(0));
  expect(decodeSignatureList(config.sig)).toHaveLength(2);

  w.store.forgetRequests();
  await runDistribution({ ...w.deps, signers: [newSigner] });
  expect(w.store.requests.filter(({ operation }) => operation === 'put').map(({ key }) => key)).toEqual(resigned);
});

function publicOf(privatePem: string): string {
  return createPublicKey(privatePem).export({ type: 'spki', format: 'pem' }) as string;
}
