import { z } from 'zod';
import { trustedKeys } from '../../lib/exposure/signature-list.ts';
import { ConfigError, type Env, fileContent, integer, port, readEnv, secretFile } from '../../lib/process/config.ts';

const origin = z
  .url({ protocol: /^https$/, error: 'must be an address like https://host:8443' })
  .transform((url) => new URL(url).origin);

const schema = z.object({
  PROBER_HOST: z.string().default('127.0.0.1'),
  PROBER_PORT: port(8506),
  PROBER_MANAGEMENT_HOST: z.string().default('127.0.0.1'),
  PROBER_MANAGEMENT_PORT: port(9107),
  PROBER_TLS_CERT_FILE: z.string(),
  PROBER_TLS_KEY_FILE: z.string(),
  PROBER_TLS_CA_FILE: z.string(),
  /** The gateway as phones and as partners reach it, and the authority of its certificate. */
  PROBER_PHONE_URL: origin,
  PROBER_PARTNER_URL: origin,
  PROBER_CA_FILE: fileContent(),
  /** The prober as a partner: routes `lab` and `probe`, labId `probe`. */
  PROBER_CERT_FILE: fileContent(),
  PROBER_KEY_FILE: secretFile(),
  /** Public key (SPKI) that packages are signed with, and its name in them. */
  PROBER_EXPORT_KEY_FILE: fileContent(),
  PROBER_EXPORT_KEY_NAME: z
    .string()
    .regex(/^\w{1,20}-\w{1,20}$/, 'must look like 262-v1')
    .default('262-v1'),
  PROBER_COUNTRY: z
    .string()
    .regex(/^[A-Z]{2}$/, 'must be a two-letter country code')
    .default('DE'),
  PROBER_INTERVAL_SECONDS: integer({ min: 10, max: 3_600, default: 300 }),
  /** Below three hours: so long an archive holds what was uploaded. */
  PROBER_EXPORT_DEADLINE_SECONDS: integer({ min: 1, max: 10_000, default: 4_500 }),
  PROBER_EXPORT_POLL_SECONDS: integer({ min: 1, max: 600, default: 15 }),
  PROBE_KEY_SECRET_FILE: secretFile({ min: 32 }),
  PROBE_REQUEST_SECRET_FILE: secretFile({ min: 32 }),
});

/** Throws `ConfigError` with every fault. */
export function readConfig(env: Env) {
  const settings = readEnv(schema, env);
  try {
    const trusted = trustedKeys({ [settings.PROBER_EXPORT_KEY_NAME]: settings.PROBER_EXPORT_KEY_FILE });
    return { settings, trusted };
  } catch {
    throw new ConfigError(['PROBER_EXPORT_KEY_FILE: the file it names is no public key (SPKI, PEM)']);
  }
}
