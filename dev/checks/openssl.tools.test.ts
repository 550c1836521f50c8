import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { signDeterministic } from '../../lib/exposure/signature.ts';
import { createAuthority, writePki } from '../../lib/pki/authority.ts';

/** What we make, judged by a program that shares no code with us. */
const openssl = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync('openssl', args, { cwd: folder, encoding: 'utf8' });
  return { status, said: stdout + stderr };
};
const missing = spawnSync('openssl', ['version']).status !== 0;
if (missing) console.log('openssl is not installed: certificates and signatures were not checked with it');
const withOpenssl = test.skipIf(missing);

let folder = '';
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cwa-openssl-'));
  await writePki(folder, { authority: await createAuthority('Test authority', new Date()), processes: ['gateway'] });
  await writePki(join(folder, 'other'), {
    authority: await createAuthority('Other authority', new Date()),
    processes: [],
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const names = [
  ['-verify_hostname', 'localhost'],
  ['-verify_ip', '127.0.0.1'],
  ['-verify_ip', '::1'],
];
withOpenssl.each(names)('decision 2: a server certificate holds for %s %s and for nothing else', (option, name) => {
  const verify = (ca: string, ...check: string[]) =>
    openssl('verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', ca, ...check, 'gateway.crt');
  expect(verify('ca.crt', option, name)).toMatchObject({ status: 0 });
  expect(verify('ca.crt', '-verify_hostname', 'example.org').status).not.toBe(0);
  expect(verify('other/ca.crt', option, name).status).not.toBe(0);
});

withOpenssl('a laboratory certificate is good for a client and not for a server', () => {
  const verify = (purpose: string) =>
    openssl('verify', '-x509_strict', '-purpose', purpose, '-CAfile', 'ca.crt', 'lab.crt');
  expect(verify('sslclient')).toMatchObject({ status: 0 });
  expect(verify('sslserver').status).not.toBe(0);
});

withOpenssl('the signature of a key export is ECDSA P-256 over SHA-256 in DER: openssl accepts it', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const bin = Buffer.from('EK Export v1    bytes');
  writeFileSync(join(folder, 'export.bin'), bin);
  writeFileSync(join(folder, 'changed.bin'), Buffer.concat([bin, Buffer.from('!')]));
  writeFileSync(join(folder, 'public.pem'), publicKey.export({ type: 'spki', format: 'pem' }));
  writeFileSync(join(folder, 'signature.der'), signDeterministic(privateKey, bin));

  const verify = (file: string) =>
    openssl('dgst', '-sha256', '-verify', 'public.pem', '-signature', 'signature.der', file);
  expect(verify('export.bin')).toMatchObject({ status: 0, said: 'Verified OK\n' });
  expect(verify('changed.bin').status).not.toBe(0);
});
