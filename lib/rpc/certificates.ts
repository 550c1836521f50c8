import { X509Certificate, createPrivateKey } from 'node:crypto';
import { type FSWatcher, readFileSync, watch } from 'node:fs';
import { dirname } from 'node:path';
import tls from 'node:tls';
import { ConfigError } from '../process/config.ts';
import type { Log } from '../telemetry/log.ts';
import { type SecurityFeed, silentSecurityFeed } from '../telemetry/security.ts';

// grpc-js takes no minimum version, so the floor is the process's own. It must stand before the first TLS context, and
// everything in the mesh imports this file. The public edge passes its own `minVersion` (stack section 3).
tls.DEFAULT_MIN_VERSION = 'TLSv1.3';

export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
}

/** PEM bytes under the names that `tls.createServer`, `setSecureContext` and undici take. */
export interface Certificates {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca: Buffer;
}

/** A certificate, its key and the CA that may follow changes of the files. */
export interface CertificateSource {
  current(): Certificates;
  /** When the current certificate ends. */
  notAfter(): Date;
  /** Calls the listener after each change, not for what is current now. Returns the way to stop it. */
  onChange(listener: (certificates: Certificates) => void): () => void;
  close(): void;
}

export interface WatchOptions {
  /** Longest time in ms until a change is seen where the file system sends no events. Default 30 s. */
  readonly pollMs?: number;
  /** Names of the settings that hold the paths, for the message when the first load fails. */
  readonly settings?: Readonly<Record<keyof TlsFiles, string>>;
  readonly log?: Log;
  readonly security?: SecurityFeed;
  /** What the certificate is called in events; default `mesh`. */
  readonly name?: string;
}

const defaultSettings = { certFile: 'TLS_CERT_FILE', keyFile: 'TLS_KEY_FILE', caFile: 'TLS_CA_FILE' } as const;
const settleMs = 50;

/**
 * Loads the files and follows them. A set is published only when its key belongs to its certificate and OpenSSL takes
 * all three; until then the last good one stays, so a half-replaced pair never reaches a socket. The first load throws
 * a ConfigError that names the setting.
 */
export function watchCertificates(files: TlsFiles, options: WatchOptions = {}): CertificateSource {
  const { log, security = silentSecurityFeed, name: certificate = 'mesh' } = options;
  let current = load(files, options.settings ?? defaultSettings);
  let refusing = false;
  const listeners = new Set<(certificates: Certificates) => void>();

  const reload = (): void => {
    let next: Certificates;
    try {
      next = load(files, options.settings ?? defaultSettings);
    } catch (error) {
      if (refusing) return;
      refusing = true;
      log?.warn('certificate-refused', { reason: reasonOf(error) });
      return security.report({ type: 'certificate-refused', certificate });
    }
    refusing = false;
    if (same(next, current)) return;
    current = next;
    log?.info('certificate-reloaded', { count: listeners.size });
    security.report({ type: 'certificate-reloaded', certificate });
    for (const listener of listeners) listener(next);
  };

  const watching = watchFolders(files, reload);
  const poll = setInterval(reload, options.pollMs ?? 30_000).unref();
  return {
    current: () => current,
    notAfter: () => new X509Certificate(current.cert).validToDate,
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => {
      clearInterval(poll);
      watching.close();
      listeners.clear();
    },
  };
}

function load(files: TlsFiles, settings: Readonly<Record<keyof TlsFiles, string>>): Certificates {
  const cert = read(files.certFile, settings.certFile);
  const key = read(files.keyFile, settings.keyFile);
  const ca = read(files.caFile, settings.caFile);
  const certificate = parsed(settings.certFile, 'holds no PEM certificate', () => new X509Certificate(cert));
  const privateKey = parsed(settings.keyFile, 'holds no PEM private key', () => createPrivateKey(key));
  parsed(settings.caFile, 'holds no PEM certificate', () => new X509Certificate(ca));
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new ConfigError([`${settings.keyFile}: the file holds the key of another certificate`]);
  }
  parsed(settings.certFile, 'is not accepted by the TLS library', () => tls.createSecureContext({ cert, key, ca }));
  return { cert, key, ca };
}

function read(path: string, setting: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'error';
    throw new ConfigError([`${setting}: the file it names cannot be read (${code})`]);
  }
}

function parsed<T>(setting: string, fault: string, parse: () => T): T {
  try {
    return parse();
  } catch {
    throw new ConfigError([`${setting}: the file it names ${fault}`]);
  }
}

function same(a: Certificates, b: Certificates): boolean {
  return a.cert.equals(b.cert) && a.key.equals(b.key) && a.ca.equals(b.ca);
}

function reasonOf(error: unknown): string {
  return error instanceof ConfigError ? error.message : 'unexpected';
}

/** Folders, not files: mounted secrets are replaced by swapping a link, which a watched file does not see. */
function watchFolders(files: TlsFiles, changed: () => void): { close(): void } {
  let settling: NodeJS.Timeout | undefined;
  const later = (): void => {
    clearTimeout(settling);
    settling = setTimeout(changed, settleMs).unref();
  };
  const watchers: FSWatcher[] = [];
  for (const folder of new Set([files.certFile, files.keyFile, files.caFile].map((file) => dirname(file)))) {
    try {
      const watcher = watch(folder, { persistent: false }, later);
      watcher.on('error', () => watcher.close());
      watchers.push(watcher);
    } catch {
      // No events here (some network file systems): polling alone follows the files.
    }
  }
  return {
    close: () => {
      clearTimeout(settling);
      for (const watcher of watchers) watcher.close();
    },
  };
}
