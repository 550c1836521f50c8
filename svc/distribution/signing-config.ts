import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import { FormatError } from '../../lib/exposure/format-error.ts';
import { loadPublicKey } from '../../lib/exposure/signature.ts';
import { ConfigError, type Env, fileContent, integer, readEnv, secretFile } from '../../lib/process/config.ts';
import { pemSigner, type Signer, type SignerNames } from './signer.ts';
import { transitSigner } from './transit-signer.ts';

const name = z.string().regex(/^[a-zA-Z0-9_]{1,20}$/, 'must be 1 to 20 letters, digits or _');
const pathName = z.string().regex(/^[\w-]+(\.[\w-]+)*$/, 'must be the name of a transit key');

const newest = 'DISTRIBUTION_SIGNING';
/** During a rotation: the key that phones without the new one still need (decision 29). */
const previous = 'DISTRIBUTION_PREVIOUS_SIGNING';
/** Where the transit service is; the same for both keys. */
const transit = `${newest}_TRANSIT`;

const shared = z.object({
  DISTRIBUTION_SIGNING_KEY_ID: name.default('262'),
  DISTRIBUTION_APP_BUNDLE_ID: z
    .string()
    .regex(/^[A-Za-z0-9.-]{1,100}$/, 'must be a bundle id')
    .default('de.rki.coronawarnapp-dev'),
  [`${transit}_ADDRESS`]: z
    .url({ protocol: /^https?$/, error: 'must be an address like https://host:8200' })
    .optional(),
  [`${transit}_MOUNT`]: z
    .string()
    .regex(/^[\w-]+(\/[\w-]+)*$/, 'must be the path of a transit engine')
    .default('transit'),
  [`${transit}_NAMESPACE`]: z
    .string()
    .regex(/^[\w./-]+$/, 'must be a namespace')
    .optional(),
  [`${transit}_TOKEN_FILE`]: z.string().optional(),
  [`${transit}_CA_FILE`]: fileContent().optional(),
  [`${transit}_TIMEOUT_MS`]: integer({ min: 100, max: 60_000, default: 5_000 }),
});
type Shared = Record<string, string | number | undefined>;

/** Signing keys that are in use, newest first; each is a PEM file or a transit key. Throws ConfigError. */
export function readSigners(env: Env): Signer[] {
  const read = readEnv(shared, env) as Shared;
  const first = readKey(newest, env, read, 'v1');
  if (!env[`${previous}_KEY_FILE`] && !env[`${previous}_TRANSIT_KEY`]) return [first.signer];
  const second = readKey(previous, env, read);
  if (second.version === undefined || second.version === first.version) {
    throw new ConfigError([`${previous}_KEY_VERSION: must be set and differ from ${newest}_KEY_VERSION`]);
  }
  return [first.signer, second.signer];
}

function readKey(prefix: string, env: Env, read: Shared, fallback?: string): { signer: Signer; version?: string } {
  const values = readEnv(
    z.object({
      [`${prefix}_KEY_VERSION`]: fallback === undefined ? name.optional() : name.default(fallback),
      [`${prefix}_KEY_FILE`]: secretFile().optional(),
      [`${prefix}_TRANSIT_KEY`]: pathName.optional(),
      [`${prefix}_TRANSIT_KEY_VERSION`]: integer({ min: 1, max: 1_000_000, default: 1 }),
      [`${prefix}_TRANSIT_PUBLIC_KEY_FILE`]: fileContent().optional(),
    }),
    env,
  ) as Record<string, unknown>;
  const version = values[`${prefix}_KEY_VERSION`] as string | undefined;
  const names: SignerNames = {
    keyId: read['DISTRIBUTION_SIGNING_KEY_ID'] as string,
    appBundleId: read['DISTRIBUTION_APP_BUNDLE_ID'] as string,
    keyVersion: version ?? '',
  };
  const file = values[`${prefix}_KEY_FILE`] as Parameters<typeof pemSigner>[0] | undefined;
  const key = values[`${prefix}_TRANSIT_KEY`] as string | undefined;
  if ((file === undefined) === (key === undefined)) {
    const fault = file === undefined ? 'is not set: it or' : 'must not be set together with';
    throw new ConfigError([
      `${prefix}_KEY_FILE ${fault} ${prefix}_TRANSIT_KEY${file === undefined ? ' is required' : ''}`,
    ]);
  }
  const signer =
    file === undefined
      ? openTransit(prefix, values, read, names)
      : asConfig(`${prefix}_KEY_FILE: the file it names holds no P-256 private key in PEM`, () =>
          pemSigner(file, names),
        );
  return { signer, ...(version === undefined ? {} : { version }) };
}

function openTransit(prefix: string, values: Record<string, unknown>, read: Shared, names: SignerNames): Signer {
  const needed = {
    [`${transit}_ADDRESS`]: read[`${transit}_ADDRESS`],
    [`${transit}_TOKEN_FILE`]: read[`${transit}_TOKEN_FILE`],
    [`${prefix}_TRANSIT_PUBLIC_KEY_FILE`]: values[`${prefix}_TRANSIT_PUBLIC_KEY_FILE`],
  };
  const missing = Object.keys(needed).filter((setting) => needed[setting] === undefined);
  if (missing.length > 0) {
    throw new ConfigError(missing.map((setting) => `${setting} is not set: ${prefix}_TRANSIT_KEY needs it`));
  }
  const setting = `${prefix}_TRANSIT_PUBLIC_KEY_FILE`;
  const publicKey: KeyObject = asConfig(`${setting}: the file it names holds no P-256 public key in PEM`, () =>
    loadPublicKey(values[setting] as string),
  );
  return transitSigner(
    {
      prefix: `${prefix}_TRANSIT`,
      sharedPrefix: transit,
      address: read[`${transit}_ADDRESS`] as string,
      mount: read[`${transit}_MOUNT`] as string,
      namespace: read[`${transit}_NAMESPACE`] as string | undefined,
      tokenFile: read[`${transit}_TOKEN_FILE`] as string,
      ca: read[`${transit}_CA_FILE`] as string | undefined,
      timeoutMs: read[`${transit}_TIMEOUT_MS`] as number,
      key: values[`${prefix}_TRANSIT_KEY`] as string,
      keyVersion: values[`${prefix}_TRANSIT_KEY_VERSION`] as number,
      publicKey,
    },
    names,
  );
}

function asConfig<T>(sentence: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    if (error instanceof FormatError) throw new ConfigError([sentence]);
    throw error;
  }
}
