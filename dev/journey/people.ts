import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { trustedKeys } from '../../lib/exposure/signature-list.ts';
import { type Random, secureRandom } from '../../lib/random/random.ts';
import type { ExchangeEvent } from '../../phone/http.ts';
import { Phone } from '../../phone/phone.ts';
import { undiciHttp } from '../../phone/undici-http.ts';
import type { Mesh } from '../mesh/mesh.ts';

/** Makes phones of simulated people that speak to the gateway of a mesh. */
export interface People {
  /** A phone that was switched on for the last 14 days. */
  phone(log?: (event: ExchangeEvent) => void): Phone;
  /** A phone that only uploads and downloads; it made no keys of its own. */
  freshPhone(log?: (event: ExchangeEvent) => void): Phone;
  close(): Promise<void>;
}

export function peopleOf(mesh: Mesh, connections = 32): People {
  const ca = readFileSync(join(mesh.home, 'pki', 'ca.crt'));
  const http = undiciHttp(`https://localhost:${mesh.ports.GATEWAY_PHONE_PORT}`, { ca, connections });
  const keys = trustedKeys({ '262-v1': readFileSync(join(mesh.home, 'pki', 'export-public.pem'), 'utf8') });
  const freshPhone: People['freshPhone'] = (log) =>
    new Phone({ http, clock: mesh.clock, random: secureRandom, trustedKeys: keys, ...(log ? { log } : {}) });
  return {
    freshPhone,
    phone(log) {
      const phone = freshPhone(log);
      phone.liveThrough(mesh.clock.nowMs() / 1000 - 14 * 86_400);
      return phone;
    },
    close: () => http.close(),
  };
}

/** A GUID as it is printed in the QR code of a PCR test (S 2.8). */
export function aGuid(random: Random = secureRandom): string {
  return `${random.bytes(3).toString('hex')}-${random.uuid()}`.toUpperCase();
}

/** Runs `work` over `items`, at most `width` at a time. */
export async function inParallel<T>(
  items: readonly T[],
  width: number,
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < items.length; index = next++) await work(items[index] as T, index);
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
}
