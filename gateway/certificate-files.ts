import type { TlsFiles } from '../lib/rpc/certificates.ts';
import { tlsSettings } from '../lib/rpc/mesh-process.ts';
import type { Config } from './config.ts';

/** Settings that hold the gateway's identity to the outside; where none is set it is the one of the mesh. */
export function publicTlsSettings(settings: Config['settings']): Readonly<Record<keyof TlsFiles, string>> {
  const mesh = tlsSettings('GATEWAY');
  const own = settings.GATEWAY_PUBLIC_CERT_FILE !== undefined || settings.GATEWAY_PUBLIC_KEY_FILE !== undefined;
  return {
    certFile: own ? 'GATEWAY_PUBLIC_CERT_FILE' : mesh.certFile,
    keyFile: own ? 'GATEWAY_PUBLIC_KEY_FILE' : mesh.keyFile,
    caFile: settings.GATEWAY_PARTNER_CA_FILE === undefined ? mesh.caFile : 'GATEWAY_PARTNER_CA_FILE',
  };
}
