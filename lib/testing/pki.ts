import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Authority, type CertificateRequest, createAuthority, writePair } from '../pki/authority.ts';
import { type CertificateSource, type TlsFiles, type WatchOptions, watchCertificates } from '../rpc/certificates.ts';

/** A throwaway PKI in a temporary folder. */
export interface TestPki {
  readonly folder: string;
  readonly authority: Authority;
  /** The files of a process (`gateway`) or of any other request, issued at the first call for the name. */
  files(name: string, request?: CertificateRequest): Promise<TlsFiles>;
  /** Certificates of the process, followed until `remove`. */
  certificates(name: string, request?: CertificateRequest, options?: WatchOptions): Promise<CertificateSource>;
  /** Replaces the process's pair by a new one. */
  renew(name: string, request?: CertificateRequest): Promise<void>;
  remove(): void;
}

/** A new CA with nothing issued yet; call `remove` at the end. */
export async function testPki(name = 'test CA'): Promise<TestPki> {
  const folder = mkdtempSync(join(tmpdir(), 'cwa-pki-'));
  const authority = await createAuthority(name, new Date());
  const caFile = join(folder, 'ca.crt');
  writeFileSync(caFile, authority.ca);
  const issued = new Map<string, Promise<void>>();
  const sources: CertificateSource[] = [];

  const renew = async (process: string, request: CertificateRequest = { processName: process }): Promise<void> =>
    writePair(folder, process, await authority.issue(request));
  const files = async (process: string, request?: CertificateRequest): Promise<TlsFiles> => {
    if (!issued.has(process)) issued.set(process, renew(process, request));
    await issued.get(process);
    return { certFile: join(folder, `${process}.crt`), keyFile: join(folder, `${process}.key`), caFile };
  };
  return {
    folder,
    authority,
    files,
    renew,
    certificates: async (process, request, options) => {
      const source = watchCertificates(await files(process, request), options);
      sources.push(source);
      return source;
    },
    remove: () => {
      for (const source of sources) source.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
