import { join } from 'node:path';
import type { Env } from '../../lib/process/config.ts';
import type { LocalSecrets } from './certificates.ts';
import type { Databases } from './databases.ts';
import { issuerOf } from './identity-provider.ts';
import { type Name, names, prefixOf } from './names.ts';
import type { ObjectStoreAccess } from './object-store.ts';
import { managementSetting, type Ports } from './ports.ts';

/** Settings that several processes read under one name. */
const shared =
  /^(SUPPORTED_COUNTRIES|ORIGIN_COUNTRY|DAYS_TO_PUBLISH|MAX_|MIN_|RANDOM_|LOG_LEVEL|NODE_EXTRA_|MAXIMUM_|OTEL_|TELEMETRY_|SECURITY_|CWA_COMMIT$)/;

export interface Surroundings {
  readonly home: string;
  /** Settings of the caller; they win where the mesh has only a default. */
  readonly env: Env;
  readonly ports: Ports;
  readonly clockUrl: string;
  readonly databases: Databases;
  readonly objectStore: ObjectStoreAccess;
  readonly secrets: LocalSecrets;
  readonly partnersFile: string;
  readonly securityFeedUrl: string;
  /** Mesh port of each process. */
  readonly rpcPorts: Readonly<Record<Name, number>>;
  readonly addressFor: (caller: string, called: string, address: string) => string;
}

/** What a process is started with: its own settings, and nothing of the others'. */
export function environmentOf(name: Name, around: Surroundings): Record<string, string> {
  const { home, env, ports, rpcPorts, addressFor } = around;
  const prefix = prefixOf(name);
  const given = Object.entries(env).filter(([key]) => key.startsWith(`${prefix}_`) || shared.test(key));
  const managementPort = managementSetting(name);
  const addresses = names.map((called) => [
    `${prefixOf(called)}_ADDRESS`,
    addressFor(name, called, `127.0.0.1:${rpcPorts[called]}`),
  ]);
  return {
    ...(Object.fromEntries(given) as Record<string, string>),
    ...(Object.fromEntries(addresses) as Record<string, string>),
    CLOCK_URL: around.clockUrl,
    [`${prefix}_HOST`]: env[`${prefix}_HOST`] || (name === 'gateway' ? '::' : '127.0.0.1'),
    [`${prefix}_PORT`]: String(rpcPorts[name]),
    [managementPort]: String(ports[managementPort]),
    [`${prefix}_TLS_CERT_FILE`]: join(home, 'pki', `${name}.crt`),
    [`${prefix}_TLS_KEY_FILE`]: join(home, 'pki', `${name}.key`),
    [`${prefix}_TLS_CA_FILE`]: join(home, 'pki', 'ca.crt'),
    ...securityFeedSettings(name, around),
    ...ownSettings(name, around),
  };
}

function securityFeedSettings(name: Name, { home, env, securityFeedUrl }: Surroundings): Record<string, string> {
  const pki = (file: string): string => join(home, 'pki', file);
  return {
    SECURITY_FEED_URL: securityFeedUrl,
    SECURITY_FEED_CERT_FILE: env['SECURITY_FEED_CERT_FILE'] || pki(`${name}.crt`),
    SECURITY_FEED_KEY_FILE: env['SECURITY_FEED_KEY_FILE'] || pki(`${name}.key`),
    SECURITY_FEED_CA_FILE: env['SECURITY_FEED_CA_FILE'] || pki('ca.crt'),
    SECURITY_FEED_BUFFER_DIR: env['SECURITY_FEED_BUFFER_DIR'] || join(home, 'security-feed'),
  };
}

function ownSettings(name: Name, around: Surroundings): Record<string, string> {
  const { env, ports, databases, objectStore, secrets } = around;
  switch (name) {
    case 'test-result':
      return databases.envOf('TEST_RESULT');
    case 'verification':
      return { ...databases.envOf('VERIFICATION'), VERIFICATION_TELE_TAN_PEPPER_FILE: secrets.pepperFile };
    case 'submission':
      return { ...databases.envOf('SUBMISSION'), PROBE_KEY_SECRET_FILE: secrets.probeKeyFile };
    case 'distribution':
      return {
        ...databases.envOf('DISTRIBUTION'),
        ...objectStore.env,
        // The mesh asks for runs itself, so that a moved clock and its runs go together.
        DISTRIBUTION_INTERVAL_SECONDS: '0',
        ...secrets.signing,
      };
    case 'ops-api':
      return operatorsSettings(around);
    case 'gateway':
      return {
        ...objectStore.env,
        GATEWAY_MESH_PORT: String(around.rpcPorts.gateway),
        GATEWAY_PHONE_PORT: String(ports.GATEWAY_PHONE_PORT),
        GATEWAY_PARTNER_PORT: String(ports.GATEWAY_PARTNER_PORT),
        GATEWAY_PARTNERS_FILE: env['GATEWAY_PARTNERS_FILE'] || around.partnersFile,
        PROBE_REQUEST_SECRET_FILE: secrets.probeRequestFile,
      };
    case 'prober':
      return proberSettings(around);
  }
}

/** The prober calls from outside, as phones and laboratories do. Locally it comes once a minute, as distribution runs. */
function proberSettings({ home, env, ports, secrets }: Surroundings): Record<string, string> {
  const file = (name: string): string => join(home, 'pki', name);
  const keyName = [env['DISTRIBUTION_SIGNING_KEY_ID'] || '262', env['DISTRIBUTION_SIGNING_KEY_VERSION'] || 'v1'];
  return {
    PROBER_PHONE_URL: `https://localhost:${ports.GATEWAY_PHONE_PORT}`,
    PROBER_PARTNER_URL: `https://localhost:${ports.GATEWAY_PARTNER_PORT}`,
    PROBER_CA_FILE: file('ca.crt'),
    PROBER_CERT_FILE: file('prober-edge.crt'),
    PROBER_KEY_FILE: file('prober-edge.key'),
    PROBER_EXPORT_KEY_FILE: file('export-public.pem'),
    PROBER_EXPORT_KEY_NAME: keyName.join('-'),
    PROBER_COUNTRY: env['DISTRIBUTION_ORIGIN_COUNTRY'] || env['ORIGIN_COUNTRY'] || 'DE',
    PROBER_INTERVAL_SECONDS: env['PROBER_INTERVAL_SECONDS'] || '60',
    PROBE_KEY_SECRET_FILE: secrets.probeKeyFile,
    PROBE_REQUEST_SECRET_FILE: secrets.probeRequestFile,
  };
}

/** Of the ops API: where it asks every process, and what a local run shows that production does not. */
function operatorsSettings({ home, env, ports, rpcPorts, addressFor }: Surroundings): Record<string, string> {
  const asked = names.map((called) => [
    `OPS_API_${prefixOf(called)}_ADDRESS`,
    addressFor('ops-api', called, `127.0.0.1:${rpcPorts[called]}`),
  ]);
  return {
    ...(Object.fromEntries(asked) as Record<string, string>),
    OPS_API_MESH_PORT: String(rpcPorts['ops-api']),
    OPS_API_OIDC_ISSUER: env['OPS_API_OIDC_ISSUER'] || issuerOf(ports.IDENTITY_PROVIDER_PORT),
    OPS_API_OIDC_AUDIENCE: env['OPS_API_OIDC_AUDIENCE'] || 'cwa-ops-api',
    OPS_API_OIDC_CA_FILE: env['OPS_API_OIDC_CA_FILE'] || join(home, 'pki', 'ca.crt'),
    OPS_API_OPERATOR_PORT: String(ports.OPS_API_OPERATOR_PORT),
    OPS_API_HISTORY_FILE: env['OPS_API_HISTORY_FILE'] || join(home, 'ops-history.json'),
    OPS_API_GRAPHIQL: env['OPS_API_GRAPHIQL'] || 'true',
  };
}
