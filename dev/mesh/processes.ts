import { join } from 'node:path';
import type { Env } from '../../lib/process/config.ts';
import type { LocalSecrets } from './certificates.ts';
import type { Databases } from './databases.ts';
import { type Name, names, prefixOf } from './names.ts';
import type { ObjectStoreAccess } from './object-store.ts';
import type { Ports } from './ports.ts';

/** Settings that several processes read under one name. */
const shared =
  /^(SUPPORTED_COUNTRIES|ORIGIN_COUNTRY|DAYS_TO_PUBLISH|MAX_|MIN_|RANDOM_|LOG_LEVEL|NODE_EXTRA_|MAXIMUM_|OTEL_|TELEMETRY_|SECURITY_)/;

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
  /** Mesh port of each process. */
  readonly rpcPorts: Readonly<Record<Name, number>>;
  readonly addressFor: (caller: string, called: string, address: string) => string;
}

/** What a process is started with: its own settings, and nothing of the others'. */
export function environmentOf(name: Name, around: Surroundings): Record<string, string> {
  const { home, env, ports, rpcPorts, addressFor } = around;
  const prefix = prefixOf(name);
  const given = Object.entries(env).filter(([key]) => key.startsWith(`${prefix}_`) || shared.test(key));
  const managementPort = `${prefix}_MANAGEMENT_PORT` as keyof Ports;
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
    ...ownSettings(name, around),
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
      return databases.envOf('SUBMISSION');
    case 'distribution':
      return {
        ...databases.envOf('DISTRIBUTION'),
        ...objectStore.env,
        // The mesh asks for runs itself, so that a moved clock and its runs go together.
        DISTRIBUTION_INTERVAL_SECONDS: '0',
        ...secrets.signing,
      };
    case 'gateway':
      return {
        ...objectStore.env,
        GATEWAY_MESH_PORT: String(around.rpcPorts.gateway),
        GATEWAY_PHONE_PORT: String(ports.GATEWAY_PHONE_PORT),
        GATEWAY_PARTNER_PORT: String(ports.GATEWAY_PARTNER_PORT),
        GATEWAY_PARTNERS_FILE: env['GATEWAY_PARTNERS_FILE'] || around.partnersFile,
      };
  }
}
