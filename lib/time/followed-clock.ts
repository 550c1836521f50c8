import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { ConfigError } from '../process/config.ts';
import { type Clock, shiftedClock, systemClock } from './clock.ts';

/**
 * Follows the clock service of a local mesh (decision 1). The service sends one JSON line `{"seq":n,"offsetMs":m}` on
 * connection and on every move; each line is acknowledged with `{"seq":n}` once it is in force here, so that the
 * service knows when everybody has moved. Production never sets `CLOCK_URL` and uses the system clock.
 */
export async function followClock(url: string, onStop: (step: () => void) => void): Promise<Clock> {
  const { hostname, port } = parse(url);
  let offsetMs = 0;
  let socket: Socket | undefined;
  let closed = false;
  onStop(() => {
    closed = true;
    socket?.destroy();
  });

  const open = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const link = connect({ host: hostname, port });
      socket = link;
      link.setNoDelay(true);
      link.once('error', reject);
      createInterface({ input: link })
        .on('line', (line) => {
          const move = JSON.parse(line) as { seq: number; offsetMs: number };
          offsetMs = move.offsetMs;
          link.write(`${JSON.stringify({ seq: move.seq })}\n`);
          resolve();
        })
        .on('error', () => {});
      // The service restarts with the mesh; until then the last offset stays in force.
      link.once('close', () => {
        if (!closed) setTimeout(() => void open().catch(() => {}), 500).unref();
      });
    });

  try {
    await open();
  } catch {
    closed = true;
    throw new ConfigError([`CLOCK_URL: no clock service answers at ${hostname}:${port}; start the mesh or unset it`]);
  }
  return shiftedClock(systemClock, () => offsetMs);
}

function parse(url: string): { hostname: string; port: number } {
  const match = /^tcp:\/\/([^:/]+):(\d+)$/.exec(url);
  if (!match?.[1] || !match[2]) throw new ConfigError(['CLOCK_URL: must look like tcp://127.0.0.1:9100']);
  return { hostname: match[1], port: Number(match[2]) };
}
