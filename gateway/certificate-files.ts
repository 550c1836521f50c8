import type { TlsFiles } from '../lib/rpc/certificates.ts';
import type { Config } from './config.ts';

interface NamedFiles {
  readonly files: TlsFiles;
  /** Settings that hold the paths, for messages. */
  readonly settings: Readonly<Record<keyof TlsFiles, string>>;
}

/** The gateway's identity inside the mesh and outside; where no public one is set, it is the same. */
export function certificateFiles(settings: Config['settings']): { mesh: NamedFiles; outside: NamedFiles } {
  const meshNames = {
    certFile: 'GATEWAY_TLS_CERT_FILE',
    keyFile: 'GATEWAY_TLS_KEY_FILE',
    caFile: 'GATEWAY_TLS_CA_FILE',
  } as const;
  const own = settings.GATEWAY_PUBLIC_CERT_FILE !== undefined || settings.GATEWAY_PUBLIC_KEY_FILE !== undefined;
  const outsideNames = {
    certFile: own ? 'GATEWAY_PUBLIC_CERT_FILE' : meshNames.certFile,
    keyFile: own ? 'GATEWAY_PUBLIC_KEY_FILE' : meshNames.keyFile,
    caFile: settings.GATEWAY_PARTNER_CA_FILE === undefined ? meshNames.caFile : 'GATEWAY_PARTNER_CA_FILE',
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
