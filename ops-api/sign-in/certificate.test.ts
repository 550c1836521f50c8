import { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import { testPki } from '../../lib/testing/pki.ts';
import { shownCertificate } from './certificate.ts';

test('a connection that outlives its certificate lets nobody in any more', async () => {
  const pki = await testPki();
  const request = { commonName: 'operator', organizationalUnit: 'ops-cwa', usage: 'client' } as const;
  const { raw, validToDate } = new X509Certificate((await pki.authority.issue(request)).cert);
  pki.remove();
  const socket = { authorized: true, getPeerCertificate: () => ({ raw }) } as unknown as TLSSocket;
  const endMs = validToDate.getTime();
  expect(shownCertificate(socket, endMs)).toMatchObject({ identity: { roles: ['ops-cwa'] } });
  expect(shownCertificate(socket, endMs + 1)).toEqual({ fault: 'certificate-untrusted' });
});
