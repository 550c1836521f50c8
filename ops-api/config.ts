import { z } from 'zod';
import { ConfigError, type Env, fileContent, flag, integer, port, readEnv } from '../lib/process/config.ts';
import type { ProcessName } from '../lib/rpc/communication-matrix.ts';

const schema = z.object({
  /** Where operators come in. Empty: every address, IPv6 and IPv4. */
  OPS_API_HOST: z.string().default(''),
  OPS_API_OPERATOR_PORT: port(8446),
  /** Where its own metrics can be asked for. */
  OPS_API_MESH_HOST: z.string().default('127.0.0.1'),
  OPS_API_MESH_PORT: port(0),
  OPS_API_MANAGEMENT_HOST: z.string().default('127.0.0.1'),
  OPS_API_MANAGEMENT_PORT: port(9106),
  /** Who it is inside the mesh. */
  OPS_API_TLS_CERT_FILE: z.string(),
  OPS_API_TLS_KEY_FILE: z.string(),
  OPS_API_TLS_CA_FILE: z.string(),
  /** Who it is to operators, and who signs operators' certificates; default: the same files. */
  OPS_API_PUBLIC_CERT_FILE: z.string().optional(),
  OPS_API_PUBLIC_KEY_FILE: z.string().optional(),
  OPS_API_OPERATOR_CA_FILE: z.string().optional(),
  /** Without it only certificates let anybody in. */
  OPS_API_OIDC_ISSUER: z.url({ protocol: /^https$/, error: 'must be an https:// URL' }).optional(),
  OPS_API_OIDC_AUDIENCE: z.string().default('cwa-ops-api'),
  OPS_API_OIDC_CA_FILE: fileContent().optional(),
  OPS_API_HISTORY_FILE: z.string().optional(),
  OPS_API_PERSISTED_ONLY: flag(false),
  /** For local runs. */
  OPS_API_GRAPHIQL: flag(false),
  OPS_API_MAX_REQUESTS_PER_MINUTE: integer({ min: 1, max: 6_000, default: 120 }),
  OPS_API_MAX_CONNECTIONS: integer({ min: 1, max: 10_000, default: 200 }),
  OPS_API_TIMEOUT_MS: integer({ min: 100, max: 60_000, default: 10_000 }),
  /** How often processes show new figures; asking more often would show nothing more. */
  TELEMETRY_FLUSH_SECONDS: integer({ min: 1, max: 300, default: 60 }),
});

export interface Config {
  readonly settings: Readonly<z.infer<typeof schema>>;
  /** `host:port` of the processes that are asked; a process without one is shown as not configured. */
  readonly addresses: ReadonlyMap<ProcessName, string>;
  /** Who signs tokens; undefined: only certificates let anybody in. */
  readonly issuer?: { readonly issuer: string; readonly audience: string; readonly ca?: string };
}

export const addressSetting = (process: ProcessName): string =>
  `OPS_API_${process.replaceAll('-', '_').toUpperCase()}_ADDRESS`;

/** Throws `ConfigError` with every fault. `processes`: those that have a file in `services/`. */
export function readConfig(env: Env, processes: Iterable<ProcessName>): Config {
  const settings = readEnv(schema, env);
  const addresses = new Map<ProcessName, string>();
  const faults: string[] = [];
  for (const process of processes) {
    // It asks itself.
    if (process === 'ops-api') continue;
    const name = addressSetting(process);
    const address = env[name];
    if (!address) continue;
    if (/^[^\s/]+:\d+$/.test(address)) addresses.set(process, address);
    else faults.push(`${name}: must look like host:port`);
  }
  if (faults.length > 0) throw new ConfigError(faults);
  const { OPS_API_OIDC_ISSUER: issuer, OPS_API_OIDC_AUDIENCE: audience, OPS_API_OIDC_CA_FILE: ca } = settings;
  if (issuer === undefined) return { settings, addresses };
  return { settings, addresses, issuer: { issuer, audience, ...(ca === undefined ? {} : { ca }) } };
}
