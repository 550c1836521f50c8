import { readFileSync, statSync } from 'node:fs';
import { z } from 'zod';
import { ConfigError } from '../lib/process/config.ts';
import type { Log } from '../lib/telemetry/log.ts';
import { type SecurityFeed, silentSecurityFeed } from '../lib/telemetry/security.ts';
import type { RawRequest } from './raw-http.ts';

/** Groups of paths that a partner may use; `*` is all of laboratories, `probe` must be named. */
const routeNames = ['lab', 'quicktest', 'pocnat', 'probe', '*'] as const;
export type PartnerRoute = Exclude<(typeof routeNames)[number], '*'>;

/** Those that report tests. */
export type TestRoute = Exclude<PartnerRoute, 'probe'>;

/** One certificate that may call (decision 21). */
export interface Partner {
  readonly name: string;
  /** SHA-256 of the certificate. */
  readonly fingerprint: Buffer;
  mayUse(route: PartnerRoute): boolean;
  /** An absent labId is always allowed and stays absent. */
  mayName(labId: string | undefined): boolean;
}

const fileSchema = z.array(
  z.strictObject({
    name: z.string().min(1),
    fingerprint: z
      .string()
      .transform((text) => text.replaceAll(':', '').toLowerCase())
      .pipe(z.string().regex(/^[0-9a-f]{64}$/, 'must be the SHA-256 fingerprint of a certificate, 64 hex digits')),
    labIds: z.array(z.string().min(1)),
    routes: z.array(z.enum(routeNames)),
  }),
);

export interface Partners {
  of(request: RawRequest): Partner | undefined;
  close(): void;
}

const setting = 'GATEWAY_PARTNERS_FILE';

/**
 * The partners of the file, which is read again when it changes. A file that became unreadable or wrong changes
 * nothing and is logged; at the start it is a ConfigError.
 */
export function watchPartners(
  file: string,
  log: Log,
  security: SecurityFeed = silentSecurityFeed,
  everyMs = 2_000,
): Partners {
  let partners = readPartners(file);
  let changedAt = changeOf(file);
  const timer = setInterval(() => {
    const changed = changeOf(file);
    if (changed === changedAt) return;
    changedAt = changed;
    try {
      partners = readPartners(file);
      log.info('partners-reloaded', { count: partners.size });
      security.report({ type: 'configuration-changed', what: 'partners' });
    } catch (error) {
      log.warn('partners-refused', { setting, ...(error instanceof ConfigError ? { reason: error.message } : {}) });
    }
  }, everyMs).unref();
  return { of: (request) => partners.get(fingerprintOf(request)), close: () => clearInterval(timer) };
}

function changeOf(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats === undefined ? '' : `${stats.mtimeMs} ${stats.size} ${stats.ino}`;
}

function readPartners(file: string): ReadonlyMap<string, Partner> {
  const parsed = fileSchema.safeParse(jsonOf(file));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new ConfigError([`${setting}: ${issue?.path.join('.') || 'the file'}: ${issue?.message}`]);
  }
  const prints = parsed.data.map(({ fingerprint }) => fingerprint);
  const twice = parsed.data.find(({ fingerprint }, i) => prints.indexOf(fingerprint) < i);
  if (twice !== undefined) throw new ConfigError([`${setting}: ${twice.name}: another partner has this fingerprint`]);
  return new Map(
    parsed.data.map(({ name, fingerprint, labIds, routes }) => [
      fingerprint,
      {
        name,
        fingerprint: Buffer.from(fingerprint, 'hex'),
        mayUse: (route) => routes.includes(route) || (route !== 'probe' && routes.includes('*')),
        mayName: (labId) => labId === undefined || labIds.includes('*') || labIds.includes(labId),
      },
    ]),
  );
}

function jsonOf(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError([
      `${setting}: the file cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'})`,
    ]);
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new ConfigError([`${setting}: the file holds no JSON`]);
  }
}

interface TlsPeer {
  getPeerCertificate(): { fingerprint256?: string };
}

const fingerprints = new WeakMap<object, string>();

/** Read once a connection: its certificate never changes. */
function fingerprintOf(request: RawRequest): string {
  const connection = 'stream' in request ? (request.stream.session ?? request) : request.socket;
  const known = fingerprints.get(connection);
  if (known !== undefined) return known;
  const socket = ('stream' in request ? request.stream.session?.socket : request.socket) as TlsPeer | undefined;
  const fingerprint = (socket?.getPeerCertificate().fingerprint256 ?? '').replaceAll(':', '').toLowerCase();
  fingerprints.set(connection, fingerprint);
  return fingerprint;
}
