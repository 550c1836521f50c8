import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import type { Mesh } from '../mesh/mesh.ts';

const country = '/version/v1/diagnosis-keys/country/DE/date';

/** Path of an hour's package; hours since 1970 UTC. */
export function hourPath(hour: number): string {
  const date = new Date(hour * 3_600_000);
  return `${country}/${date.toISOString().slice(0, 10)}/hour/${date.getUTCHours()}`;
}

/** Path of a day's package; UTC days since 1970. */
export const dayPath = (day: number): string => `${country}/${new Date(day * 86_400_000).toISOString().slice(0, 10)}`;

/** Path of the index of a day's hours. */
export const hourIndexPath = (hour: number): string => hourPath(hour).replace(/\/\d+$/, '');

/** Downloads from the gateway; anything but 200 is an error. */
export function get(mesh: Mesh, path: string): Promise<{ body: Buffer; etag: string }> {
  const ca = readFileSync(join(mesh.home, 'pki', 'ca.crt'));
  return new Promise((resolve, reject) => {
    const sent = request({
      host: '127.0.0.1',
      servername: 'localhost',
      port: mesh.ports.GATEWAY_PHONE_PORT,
      path,
      ca,
      agent: false,
    });
    sent.on('error', reject);
    sent.on('response', async (answer) => {
      try {
        const body = Buffer.concat(await answer.toArray());
        if (answer.statusCode === 200) resolve({ body, etag: answer.headers.etag ?? '' });
        else reject(new Error(`GET ${path} was answered with status ${answer.statusCode}`));
      } catch (error) {
        reject(error);
      }
    });
    sent.end();
  });
}
