import { readFileSync } from 'node:fs';
import { connect, createSecureContext, type TLSSocket } from 'node:tls';
import type { Endpoint } from '../wire/endpoint.ts';

/** How many files a process may have open here: Node raises its soft limit to the hard one by itself. */
export function openFilesLimit(pid: number): number {
  const line = /^Max open files +(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'utf8'));
  return Number(line?.[1] ?? 1_024);
}

/**
 * Opens `count` connections that have asked once and then say nothing. They share one TLS session: what a client saves
 * by that lets a test open so many, and to the server each is a connection like any other.
 */
export async function openIdleConnections(endpoint: Endpoint, count: number): Promise<readonly TLSSocket[]> {
  const options = {
    host: '127.0.0.1',
    port: endpoint.port,
    servername: 'localhost',
    secureContext: createSecureContext({ ca: endpoint.ca }),
  };
  const session = await new Promise<Buffer>((done) => {
    const first = connect(options);
    first.once('session', (ticket: Buffer) => {
      first.destroy();
      done(ticket);
    });
  });
  const sockets: TLSSocket[] = [];
  let left = count;
  const open = async () => {
    while (left-- > 0) {
      const socket = connect({ ...options, session });
      socket.on('error', () => {});
      sockets.push(socket);
      socket.write('GET /nothing HTTP/1.1\r\nhost: localhost\r\n\r\n');
      await new Promise((done) => {
        socket.once('data', done);
        socket.once('close', done);
      });
    }
  };
  await Promise.all(Array.from({ length: 32 }, open));
  return sockets;
}

export const isOpen = (socket: TLSSocket): boolean => !socket.destroyed && !socket.readableEnded;
