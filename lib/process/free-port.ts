import { createServer } from 'node:net';
import { secureRandom } from '../random/random.ts';

/** Below those that a system gives to whoever asks for any port, or calls somewhere: such a one may soon be another's. */
const [lowest, above] = [10_000, 32_000];
const given = new Set<number>();

/** A port nobody listens on at this moment, for a process that is started later; in this process never the same twice. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = lowest + secureRandom.int(above - lowest);
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) return port;
  }
}

/** Whether nobody listens on it, on loopback or anywhere. */
export async function isFree(port: number): Promise<boolean> {
  for (const host of ['127.0.0.1', '::']) {
    const probe = createServer();
    const free = await new Promise<boolean>((done) => {
      probe.once('error', (error: NodeJS.ErrnoException) =>
        done(error.code !== 'EADDRINUSE' && error.code !== 'EACCES'),
      );
      probe.listen(port, host, () => done(true));
    });
    if (probe.listening) await new Promise((done) => probe.close(done));
    if (!free) return false;
  }
  return true;
}
