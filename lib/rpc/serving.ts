import { healthServiceName } from './health.ts';
import type { Channel } from './client.ts';

const path = `/${healthServiceName}/Check`;
/** `HealthCheckResponse { status: SERVING }`. */
const serving = Buffer.from([0x08, 0x01]);
const asIs = (bytes: Buffer): Buffer => bytes;
const nothing = Buffer.alloc(0);

/** Whether the process at the other end answers and serves; never rejects. Waits at most `limitMs` of real time. */
export function isServing({ connection }: Channel, limitMs = 2_000): Promise<boolean> {
  return new Promise((resolve) => {
    const call = connection.makeUnaryRequest(path, asIs, asIs, nothing, (error, answer) => {
      clearTimeout(late);
      resolve(error === null && answer !== undefined && Buffer.from(answer).equals(serving));
    });
    const late = setTimeout(() => call.cancel(), limitMs);
  });
}
