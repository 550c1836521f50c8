import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { createAuthority, writePki } from './authority.ts';

const now = new Date('2026-03-01T00:00:00Z');
const folder = mkdtempSync(join(tmpdir(), 'cwa-authority-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('a process has its URI, its name and the loopback names, for ten years and back to 2020', async () => {
  const authority = await createAuthority('CA', now);
  const ca = new X509Certificate(authority.ca);
  const certificate = new X509Certificate((await authority.issue({ processName: 'test-result' })).cert);

  expect(certificate.subjectAltName).toBe(
    'DNS:test-result, DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, URI:spiffe://cwa/test-result',
  );
  expect(certificate.checkIssued(ca)).toBe(true);
  expect(certificate.verify(ca.publicKey)).toBe(true);
  expect([ca.ca, certificate.ca]).toEqual([true, false]);
  expect(new Date(certificate.validFrom)).toEqual(new Date('2020-01-01T00:00:00Z'));
  expect(new Date(certificate.validTo).getUTCFullYear()).toBe(2036);
});

test('a client from outside carries no name of the mesh', async () => {
  const authority = await createAuthority('CA', now);
  const { cert } = await authority.issue({ commonName: 'operator', organizationalUnit: 'ops-cwa', usage: 'client' });
  const certificate = new X509Certificate(cert);

  expect(certificate.subject).toBe('CN=operator\nOU=ops-cwa');
  expect(certificate.subjectAltName).toBeUndefined();
  expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
});

test('the folder holds the CA, a pair for each process and client, and keys that only the owner reads', async () => {
  // One that is there keeps its mode when it is written.
  writeFileSync(join(folder, 'gateway.key'), '', { mode: 0o644 });
  await writePki(folder, { authority: await createAuthority('CA', now), processes: ['gateway', 'submission'] });

  expect(readdirSync(folder).sort()).toEqual([
    'ca.crt',
    'gateway.crt',
    'gateway.key',
    'lab.crt',
    'lab.key',
    'operator.crt',
    'operator.key',
    'submission.crt',
    'submission.key',
  ]);
  for (const name of ['lab.key', 'gateway.key']) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
  expect(readFileSync(join(folder, 'ca.crt'), 'utf8')).toMatch(/^-----BEGIN CERTIFICATE-----\n/);
});
