import { connect, type TLSSocket } from 'node:tls';

export interface ConnectionOptions {
  readonly port: number;
  readonly ca: string;
  readonly onAnswer: (status: number, octets: number) => void;
  readonly onLost: (reason: string) => void;
}

export interface Connection {
  send(request: Buffer): void;
  close(): void;
}

const nothing: Buffer = Buffer.alloc(0);
const headEnd = Buffer.from('\r\n\r\n');

/**
 * One kept HTTP/1.1 connection over TLS that carries one request at a time. It reads no more of an answer than status
 * and length: Node's own clients cost about as much CPU as the gateway, and both share this machine.
 */
export async function openConnection({ port, ca, onAnswer, onLost }: ConnectionOptions): Promise<Connection> {
  const socket = connect({ host: '127.0.0.1', port, ca, servername: 'localhost', ALPNProtocols: ['http/1.1'] });
  await connected(socket);
  socket.setNoDelay(true);
  let closing = false;
  let head: Buffer = nothing;
  let status = 0;
  let octets = 0;
  let missing = 0;
  socket.on('error', () => {});
  socket.on('close', () => {
    if (!closing) onLost('the gateway closed a connection');
  });
  socket.on('data', (chunk: Buffer) => {
    octets += chunk.length;
    if (missing > 0) missing -= chunk.length;
    else {
      head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
      const end = head.indexOf(headEnd);
      if (end === -1) return;
      const text = head.toString('latin1', 0, end);
      status = Number(text.slice(9, 12));
      missing = bodyLength(status, text) - (head.length - end - headEnd.length);
      head = nothing;
    }
    if (missing > 0) return;
    const received = octets;
    octets = 0;
    if (missing < 0) onLost('the gateway sent more than it announced');
    else onAnswer(status, received);
  });
  return {
    send: (request) => void socket.write(request),
    close() {
      closing = true;
      socket.destroy();
    },
  };
}

function connected(socket: TLSSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', reject);
  });
}

function bodyLength(status: number, head: string): number {
  if (status === 304 || status === 204) return 0;
  return Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
}
