import { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { rolesIn, type Shown } from './outcome.ts';

/**
 * Whom the connection's client certificate names; undefined: it showed none. Roles are its OUs. A certificate of a
 * process of the mesh, which the same authority may have signed, is no operator's. `nowMs`: of the system, which dates
 * certificates; a connection may be kept longer than the certificate is good, and TLS looked at it once.
 */
export function shownCertificate(
  socket: Pick<TLSSocket, 'authorized' | 'getPeerCertificate'>,
  nowMs: number,
): Shown | undefined {
  const { raw } = socket.getPeerCertificate();
  if (raw === undefined) return undefined;
  if (!socket.authorized) return { fault: 'certificate-untrusted' };
  const certificate = new X509Certificate(raw);
  if (certificate.validToDate.getTime() < nowMs) return { fault: 'certificate-untrusted' };
  if (/\bURI:/.test(certificate.subjectAltName ?? '')) return { fault: 'certificate-of-a-process' };
  const { subject } = certificate.toLegacyObject();
  const units = [subject?.OU ?? []].flat();
  return { identity: { id: certificate.fingerprint256, roles: rolesIn(units) } };
}
