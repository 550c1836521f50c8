import type { TlsFiles } from '../lib/rpc/certificates.ts';
import type { Config } from './config.ts';

interface NamedFiles {
  readonly files: TlsFiles;
  /** Settings that hold the paths, for messages. */
  readonly settings: Readonly<Record<keyof TlsFiles, string>>;
}

/** Who the process is inside the mesh and to operators; where nothing is set for operators, the same. */
export function certificateFiles(settings: Config['settings']): { mesh: NamedFiles; outside: NamedFiles } {
  const meshNames = {
    certFile: 'OPS_API_TLS_CERT_FILE',
    keyFile: 'OPS_API_TLS_KEY_FILE',
    caFile: 'OPS_API_TLS_CA_FILE',
  } as const;
  const own = settings.OPS_API_PUBLIC_CERT_FILE !== undefined || settings.OPS_API_PUBLIC_KEY_FILE !== undefined;
  const outsideNames = {
    certFile: own ? 'OPS_API_PUBLIC_CERT_FILE' : meshNames.certFile,
    keyFile: own ? 'OPS_API_PUBLIC_KEY_FILE' : meshNames.keyFile,
    caFile: settings.OPS_API_OPERATOR_CA_FILE === undefined ? meshNames.caFile : 'OPS_API_OPERATOR_CA_FILE',
  } as const;
  const of = (names: typeof meshNames | typeof outsideNames): NamedFiles => ({
    files: {
      certFile: settings[names.certFile] ?? '',
      keyFile: settings[names.keyFile] ?? '',
      caFile: settings[names.caFile] ?? '',
    },
    settings: names,
  });
  return { mesh: of(meshNames), outside: of(outsideNames) };
}
