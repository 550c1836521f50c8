import type { TlsOptions } from 'node:tls';
import type { Certificates } from '../lib/rpc/certificates.ts';

/** TLS 1.3's own suites and ECDHE/DHE with AES-GCM, nothing else (S 1.13, 5.3). */
const ciphers = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_AES_128_GCM_SHA256',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'DHE-RSA-AES256-GCM-SHA384',
  'DHE-RSA-AES128-GCM-SHA256',
].join(':');

/**
 * Context of a public port, for the start and for every later certificate: the process's own floor is TLS 1.3, so 1.2
 * has to be allowed each time (stack section 3).
 */
export function publicTls({ cert, key, ca }: Certificates): TlsOptions {
  return {
    cert,
    key,
    ca,
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.3',
    ciphers,
    honorCipherOrder: true,
    dhparam: 'auto',
  };
}

/** A partner without a certificate that the CA signed does not get past the handshake (decision 11). */
export const partnerTls: TlsOptions = { requestCert: true, rejectUnauthorized: true };
