import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A TCP link to a port that can be cut, to see what callers make of broken connections. */
export interface BreakableLink {
  readonly address: string;
  /** Connections accepted so far. */
  connections(): number;
  /** Cuts what is connected; new connections work again. */
  cut(): void;
  /** What is connected stays so, and nothing passes any more; new connections work. */
  silence(): void;
  close(): Promise<void>;
}

export async function breakableLink(port: number): Promise<BreakableLink> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((near) => {
    connections++;
    const far = connect(port, '127.0.0.1');
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => connections,
    cut,
    silence: () => {
      for (const socket of sockets) socket.unpipe().resume();
    },
    close: () => {
      cut();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
