import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { ConfigError } from '../../lib/process/config.ts';
import { type Clock, shiftedClock, systemClock } from '../../lib/time/clock.ts';

/** The one clock of a local mesh (decision 1); every process follows it over loopback. */
export interface ClockService {
  readonly url: string;
  readonly clock: Clock;
  /** Moves mesh time forward to `ms`, unless it is later already, and returns when every process has acknowledged. */
  moveTo(ms: number): Promise<void>;
  close(): Promise<void>;
}

interface Follower {
  readonly socket: Socket;
  acknowledged: number;
}

/** `startAtMs` sets the time of a new state folder; a stored later time wins, so that time never runs backwards. */
export async function startClockService(file: string, startAtMs?: number): Promise<ClockService> {
  let offsetMs = initialTime(file, startAtMs) - systemClock.nowMs();
  let seq = 0;
  const followers = new Set<Follower>();
  const waiting = new Set<() => void>();
  const clock = shiftedClock(systemClock, () => offsetMs);
  const store = () => {
    writeFileSync(`${file}.new`, `${JSON.stringify({ meshTimeMs: clock.nowMs() })}\n`);
    renameSync(`${file}.new`, file);
  };

  const server = createServer((socket) => {
    socket.setNoDelay(true);
    const follower: Follower = { socket, acknowledged: -1 };
    followers.add(follower);
    socket.on('error', () => {});
    socket.on('close', () => {
      followers.delete(follower);
      for (const check of waiting) check();
    });
    createInterface({ input: socket }).on('line', (line) => {
      const acknowledged = /^\{"seq":(\d+)\}$/.exec(line)?.[1];
      // Who took the port for another's that had it before, as health checks do, is no follower.
      if (acknowledged === undefined) return socket.destroy();
      follower.acknowledged = Number(acknowledged);
      for (const check of waiting) check();
    });
    socket.write(`${JSON.stringify({ seq, offsetMs })}\n`);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  store();
  const saving = setInterval(store, 5_000).unref();

  return {
    url: `tcp://127.0.0.1:${(server.address() as { port: number }).port}`,
    clock,
    async moveTo(ms) {
      // The greater of the two, as time goes on between a look at the clock and this one.
      offsetMs = Math.max(offsetMs, ms - systemClock.nowMs());
      const move = ++seq;
      for (const { socket } of followers) socket.write(`${JSON.stringify({ seq, offsetMs })}\n`);
      await new Promise<void>((done) => {
        const check = () => {
          if ([...followers].some((follower) => follower.acknowledged < move)) return;
          waiting.delete(check);
          done();
        };
        waiting.add(check);
        check();
      });
      store();
    },
    async close() {
      clearInterval(saving);
      store();
      for (const { socket } of followers) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}

function initialTime(file: string, startAtMs: number | undefined): number {
  const stored = existsSync(file) ? readStored(file) : 0;
  return Math.max(stored, startAtMs ?? systemClock.nowMs());
}

function readStored(file: string): number {
  try {
    const { meshTimeMs } = JSON.parse(readFileSync(file, 'utf8')) as { meshTimeMs: number };
    if (Number.isFinite(meshTimeMs)) return meshTimeMs;
  } catch {
    // Said below, by the name of the file.
  }
  throw new ConfigError([
    `${file}: holds no stored time; delete it to go on from this machine's time, or npx cwa reset`,
  ]);
}
