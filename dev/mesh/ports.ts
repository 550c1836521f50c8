import { ConfigError, type Env } from '../../lib/process/config.ts';
import { freePort, isFree } from '../../lib/process/free-port.ts';
import { type Name, prefixOf } from './names.ts';

/** Ports that people and other programs rely on (architecture section 4, decision 4). */
export const publicPorts = {
  GATEWAY_PHONE_PORT: 8443,
  GATEWAY_PARTNER_PORT: 8444,
  OPS_API_OPERATOR_PORT: 8446,
  IDENTITY_PROVIDER_PORT: 8447,
  GATEWAY_MANAGEMENT_PORT: 9101,
  SUBMISSION_MANAGEMENT_PORT: 9102,
  VERIFICATION_MANAGEMENT_PORT: 9103,
  TEST_RESULT_MANAGEMENT_PORT: 9104,
  DISTRIBUTION_MANAGEMENT_PORT: 9105,
  OPS_API_MANAGEMENT_PORT: 9106,
  PROBER_MANAGEMENT_PORT: 9107,
} as const;

export type PublicPort = keyof typeof publicPorts;
export type Ports = Readonly<Record<PublicPort, number>>;

/** The setting that holds the management port of a process. */
export const managementSetting = (name: Name) => `${prefixOf(name)}_MANAGEMENT_PORT` as PublicPort;

/** The fixed ports of a local run, each changeable by its variable; every taken or wrong one is reported at once. */
export async function fixedPorts(env: Env): Promise<Ports> {
  const ports = {} as Record<PublicPort, number>;
  const faults: string[] = [];
  for (const name of Object.keys(publicPorts) as PublicPort[]) {
    const text = env[name] || String(publicPorts[name]);
    const port = Number(text);
    if (!/^\d+$/.test(text) || port < 1 || port > 65_535)
      faults.push(`${name}: must be a whole number from 1 to 65535`);
    else if (!(await isFree(port))) {
      faults.push(`${name}: port ${port} is taken by another program; stop it or set ${name} to a free port`);
    }
    const same = Object.entries(ports).find(([, other]) => other === port)?.[0];
    if (same !== undefined) faults.push(`${name}: port ${port} is already that of ${same}; set one of them to another`);
    ports[name] = port;
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return ports;
}

/** Free ports for everything: for tests, replays and benchmarks beside a running mesh. */
export async function anyPorts(): Promise<Ports> {
  const names = Object.keys(publicPorts) as PublicPort[];
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await freePort()]))) as Ports;
}
