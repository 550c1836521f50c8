import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { spiffeId } from '../rpc/identity.ts';

/** PEM texts of one certificate and its key. */
export interface Issued {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateRequest {
  /** A process of the mesh: gives the SAN URI and the names under which it is reached on one machine. */
  readonly processName?: string;
  readonly commonName?: string;
  readonly organizationalUnit?: string;
  readonly dns?: readonly string[];
  readonly ips?: readonly string[];
  readonly uris?: readonly string[];
  /** Default: both. */
  readonly usage?: 'server' | 'client' | 'both';
  readonly notAfter?: Date;
}

export interface Authority {
  /** PEM of the CA certificate. */
  readonly ca: string;
  issue(request: CertificateRequest): Promise<Issued>;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const years = 365 * 24 * 3600 * 1000;
const loopback = { dns: ['localhost'], ips: ['127.0.0.1', '::1'] };

/**
 * A throwaway certificate authority for local runs and tests; its key lives in memory only. Certificates are valid from
 * 2020 to ten years after `now`, because TLS checks the machine's time while the mesh's clock may stand elsewhere.
 */
export async function createAuthority(name: string, now: Date): Promise<Authority> {
  const validity = {
    notBefore: new Date('2020-01-01T00:00:00Z'),
    notAfter: new Date(now.getTime() + 10 * years),
  };
  const keys = await newKeys();
  const root = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: [{ CN: [name] }],
      keys,
      signingAlgorithm: algorithm,
      ...validity,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );

  const issue = async (request: CertificateRequest): Promise<Issued> => {
    const own = await newKeys();
    const certificate = await x509.X509CertificateGenerator.create(
      {
        subject: subjectOf(request),
        issuer: root.subject,
        publicKey: own.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: algorithm,
        notBefore: validity.notBefore,
        notAfter: request.notAfter ?? validity.notAfter,
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          new x509.ExtendedKeyUsageExtension(usagesOf(request)),
          await x509.AuthorityKeyIdentifierExtension.create(root, false, webcrypto),
          ...alternativeNamesOf(request),
        ],
      },
      webcrypto,
    );
    return { cert: `${certificate.toString('pem')}\n`, key: await privateKeyPem(own.privateKey) };
  };
  return { ca: `${root.toString('pem')}\n`, issue };
}

export interface PkiOptions {
  readonly authority: Authority;
  /** Processes of the mesh, each with `<name>.crt` and `<name>.key`. */
  readonly processes: readonly string[];
  /** Callers from outside the mesh: file name to certificate, for example `lab` and `operator`. */
  readonly clients?: Readonly<Record<string, CertificateRequest>>;
}

/** The callers that a local run knows (decision 2). */
const localClients: Readonly<Record<string, CertificateRequest>> = {
  lab: { commonName: 'lab', usage: 'client' },
  operator: { commonName: 'operator', usage: 'client' },
};

/** Writes `ca.crt` and a `.crt` and `.key` for each process and client into the folder; keys are readable by the owner only. */
export async function writePki(folder: string, options: PkiOptions): Promise<void> {
  const { authority, processes, clients = localClients } = options;
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  writeFileSync(join(folder, 'ca.crt'), authority.ca);
  const requests = [
    ...processes.map((processName) => [processName, { processName }] as const),
    ...Object.entries(clients),
  ];
  await Promise.all(requests.map(async ([name, request]) => writePair(folder, name, await authority.issue(request))));
}

/** Writes `<name>.crt` and `<name>.key`. */
export function writePair(folder: string, name: string, pair: Issued): void {
  const keyFile = join(folder, `${name}.key`);
  writeFileSync(keyFile, pair.key, { mode: 0o600 });
  chmodSync(keyFile, 0o600); // an existing file keeps its mode otherwise
  writeFileSync(join(folder, `${name}.crt`), pair.cert);
}

const newKeys = async (): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);

async function privateKeyPem(key: CryptoKey): Promise<string> {
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', key);
  return `${x509.PemConverter.encode(pkcs8, 'PRIVATE KEY')}\n`;
}

function subjectOf({ commonName, processName, organizationalUnit }: CertificateRequest): x509.JsonName {
  const unit = organizationalUnit === undefined ? [] : [{ OU: [organizationalUnit] }];
  return [{ CN: [commonName ?? processName ?? 'unnamed'] }, ...unit];
}

function usagesOf({ usage = 'both' }: CertificateRequest): string[] {
  const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;
  return { server: [serverAuth], client: [clientAuth], both: [serverAuth, clientAuth] }[usage];
}

function alternativeNamesOf(request: CertificateRequest): x509.Extension[] {
  const { processName } = request;
  const mesh = processName === undefined ? [] : [processName];
  const names: x509.JsonGeneralName[] = [
    ...[...mesh, ...(request.dns ?? (processName ? loopback.dns : []))].map(named('dns')),
    ...(request.ips ?? (processName ? loopback.ips : [])).map(named('ip')),
    ...[...mesh.map(spiffeId), ...(request.uris ?? [])].map(named('url')),
  ];
  return names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)];
}

const named =
  (type: x509.JsonGeneralName['type']) =>
  (value: string): x509.JsonGeneralName => ({ type, value });
