import { createPublicKey, generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CertificateRequest, createAuthority, writePki } from '../../lib/pki/authority.ts';
import { ConfigError, type Env } from '../../lib/process/config.ts';
import { systemClock } from '../../lib/time/clock.ts';
import { type Team, teams } from '../../ops-api/teams.ts';
import { names } from './names.ts';

export interface LocalSecrets {
  /** Settings that tell distribution what signs: a file, or what the caller said of a transit engine. */
  readonly signing: Readonly<Record<string, string>>;
  readonly pepperFile: string;
  /** Shared by the prober with submission and with the gateway (decision 35). */
  readonly probeKeyFile: string;
  readonly probeRequestFile: string;
}

/** Name of the files of a team's certificate: `operator-cwa`. */
export function operatorName(team: Team): string {
  return team.replace('ops-', 'operator-');
}

/** Who has a certificate of the mesh: its processes, and what `dev` adds to them. */
const holders = [...names, 'scheduler', 'security-collector', 'identity-provider'];

/**
 * Certificates for every process and outside caller, and for `others` in whose name a test calls; kept as long as the
 * home lives.
 */
export async function makePki(home: string, others: readonly string[] = []): Promise<void> {
  const folder = join(home, 'pki');
  const pairs = [...holders, ...Object.keys(clients)].flatMap((name) => [`${name}.key`, `${name}.crt`]);
  const complete = ['ca.crt', ...pairs].every((file) => existsSync(join(folder, file)));
  if (complete) return;
  const authority = await createAuthority('CWA local authority', systemClock.now());
  await writePki(folder, { authority, processes: [...holders, ...others], clients });
}

const operator = (team: Team): CertificateRequest => ({
  commonName: 'operator',
  organizationalUnit: team,
  usage: 'client',
});

/** Callers from outside the mesh (decision 2): a laboratory, and an operator of each team; `operator` is of the first. */
const clients: Readonly<Record<string, CertificateRequest>> = {
  lab: { commonName: 'lab', usage: 'client' },
  'prober-edge': { commonName: 'prober', usage: 'client' },
  operator: operator('ops-cwa'),
  ...Object.fromEntries(teams.map((team) => [operatorName(team), operator(team)])),
};

/** Secrets of a local run that are not certificates: given by the environment, or made once and kept in the home. */
export function makeLocalSecrets(home: string, env: Env): LocalSecrets {
  const secrets = join(home, 'secrets');
  mkdirSync(secrets, { recursive: true, mode: 0o700 });
  mkdirSync(join(home, 'pki'), { recursive: true });
  const made = (name: string, make: () => string): string => {
    const file = join(secrets, name);
    if (!existsSync(file)) writeFileSync(file, make(), { mode: 0o600 });
    return file;
  };
  const transitKey = env['DISTRIBUTION_SIGNING_TRANSIT_PUBLIC_KEY_FILE'];
  const signingKeyFile =
    env['DISTRIBUTION_SIGNING_KEY_FILE'] || (transitKey ? '' : made('export-private.pem', newSigningKey));
  writePublicKey(home, signingKeyFile || (transitKey ?? ''));
  const secret = () => randomBytes(32).toString('hex');
  return {
    signing: signingKeyFile ? { DISTRIBUTION_SIGNING_KEY_FILE: signingKeyFile } : {},
    pepperFile: env['VERIFICATION_TELE_TAN_PEPPER_FILE'] || made('tele-tan-pepper', secret),
    probeKeyFile: env['PROBE_KEY_SECRET_FILE'] || made('probe-key', secret),
    probeRequestFile: env['PROBE_REQUEST_SECRET_FILE'] || made('probe-request', secret),
  };
}

/**
 * The local lab certificate may use any labId and every route of laboratories (decision 21); operators and the prober
 * may read the archives of the prober's keys (decision 35).
 */
export function writePartners(home: string): string {
  const file = join(home, 'partners.json');
  const partner = (name: string, certificate: string, labIds: string[], routes: string[]) => {
    const { fingerprint256 } = new X509Certificate(readFileSync(join(home, 'pki', `${certificate}.crt`)));
    return { name, fingerprint: fingerprint256.replaceAll(':', '').toLowerCase(), labIds, routes };
  };
  const partners = [
    partner('local-lab', 'lab', ['*'], ['lab', 'quicktest', 'pocnat']),
    partner('operator', 'operator', [], ['probe']),
    partner('prober', 'prober-edge', ['probe'], ['lab', 'probe']),
  ];
  writeFileSync(file, `${JSON.stringify(partners, null, 2)}\n`);
  return file;
}

function newSigningKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  return privateKey.export({ type: 'sec1', format: 'pem' });
}

/** Written at every start, so that it always belongs to the key in use, whose private or public PEM is given. */
function writePublicKey(home: string, keyFile: string): void {
  try {
    const publicKey = createPublicKey(readFileSync(keyFile, 'utf8'));
    writeFileSync(join(home, 'pki', 'export-public.pem'), publicKey.export({ type: 'spki', format: 'pem' }));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'error';
    throw new ConfigError([`DISTRIBUTION_SIGNING_KEY_FILE: the file it names is no readable PEM key (${code})`]);
  }
}
