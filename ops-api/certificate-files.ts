import { tlsSettings } from '../lib/rpc/mesh-process.ts';
import type { Config } from './config.ts';

/** Names of the settings that say who the process is to operators; where nothing is set for them, who it is in the mesh. */
export function operatorTlsSettings(settings: Config['settings']) {
  const inside = tlsSettings('OPS_API');
  const own = settings.OPS_API_PUBLIC_CERT_FILE !== undefined || settings.OPS_API_PUBLIC_KEY_FILE !== undefined;
  return {
    certFile: own ? 'OPS_API_PUBLIC_CERT_FILE' : inside.certFile,
    keyFile: own ? 'OPS_API_PUBLIC_KEY_FILE' : inside.keyFile,
    caFile: settings.OPS_API_OPERATOR_CA_FILE === undefined ? inside.caFile : 'OPS_API_OPERATOR_CA_FILE',
  };
}
