import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Framing } from './framing.ts';

export type Direction = 'request' | 'reply';

/** Waits for the `nth` frame of a direction and then springs, with that frame withheld or just delivered. */
export interface Trap {
  readonly direction: Direction;
  readonly nth: number;
  readonly when: 'before' | 'after';
  /** Nothing crosses the connection any more when it is called, in either direction; others are as before. */
  spring(connection: { cut(): void }, frame: string): void;
}

/** A TCP link between two processes that knows the messages on it and can lose them. */
export interface Link {
  readonly port: number;
  leadTo(port: number): void;
  /** One trap at a time; it springs once. */
  set(trap: Trap | undefined): void;
  /** Cuts the connections that a trap has silenced. */
  cutSilent(): void;
  close(): Promise<void>;
}

interface Connection {
  readonly ends: readonly Socket[];
  silent: boolean;
  cut(): void;
}

export async function openLink(framing: () => Framing): Promise<Link> {
  const connections = new Set<Connection>();
  let target = 0;
  let trap: Trap | undefined;
  let seen = 0;

  const relay = (connection: Connection, from: Socket, to: Socket, direction: Direction, cut: Framing['requests']) => {
    from.setNoDelay(true);
    from.on('error', () => {});
    from.on('close', () => {
      connections.delete(connection);
      // What was delivered stays delivered.
      to.destroySoon();
    });
    from.on('data', (chunk: Buffer) => {
      for (const frame of cut(chunk)) {
        if (connection.silent) return;
        const sprung = trap?.direction === direction && frame.counts && ++seen === trap.nth ? trap : undefined;
        if (sprung?.when !== 'before') to.write(frame.bytes);
        if (sprung === undefined) continue;
        trap = undefined;
        connection.silent = true;
        sprung.spring(connection, frame.name);
      }
    });
  };

  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    const ends = [near, far];
    const connection = {
      ends,
      silent: false,
      cut: () => {
        for (const end of ends) end.destroySoon();
      },
    };
    connections.add(connection);
    const { requests, replies } = framing();
    relay(connection, near, far, 'request', requests);
    relay(connection, far, near, 'reply', replies);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));

  return {
    port: (server.address() as AddressInfo).port,
    leadTo(port) {
      target = port;
    },
    set(next) {
      trap = next;
      seen = 0;
    },
    cutSilent() {
      for (const connection of connections) if (connection.silent) connection.cut();
    },
    close() {
      for (const { ends } of connections) for (const end of ends) end.destroy();
      return new Promise((done) => server.close(() => done()));
    },
  };
}
