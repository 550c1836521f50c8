import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import type { Mesh } from '../mesh/mesh.ts';

/** A public port of a mesh, and as whom to call it. */
export interface Endpoint {
  readonly port: number;
  readonly ca: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  /** The address to call from; any of 127.0.0.0/8. */
  readonly localAddress?: string;
}

export function phoneEndpoint(mesh: Mesh): Endpoint {
  return { port: mesh.ports.GATEWAY_PHONE_PORT, ca: pem(mesh, 'ca.crt') };
}

/** The partners' port with the certificate of the local lab. */
export function partnerEndpoint(mesh: Mesh): Endpoint {
  const port = mesh.ports.GATEWAY_PARTNER_PORT;
  return { port, ca: pem(mesh, 'ca.crt'), cert: pem(mesh, 'lab.crt'), key: pem(mesh, 'lab.key') };
}

const pem = (mesh: Mesh, name: string): Buffer => readFileSync(join(mesh.home, 'pki', name));

/** A connection past its handshake. Errors that come later end in `close`. */
export async function connectTls(endpoint: Endpoint, protocol: 'http/1.1' | 'h2'): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', servername: 'localhost', ...endpoint, ALPNProtocols: [protocol] });
  await new Promise<void>((done, failed) => {
    socket.once('secureConnect', done);
    socket.once('error', failed);
  });
  socket.on('error', () => {});
  socket.setNoDelay(true);
  return socket;
}
