// Preloaded into the gateway: whoever reads the address of a caller is written to standard error, and so into the log.
import { Socket } from 'node:net';

interface Accepted {
  /** What `remoteAddress` and its like read. */
  _getpeername(): unknown;
  readonly server?: unknown;
  readonly _server?: unknown;
  readonly _tlsOptions?: { readonly isServer?: boolean };
}

const prototype = Socket.prototype as unknown as Accepted;
const read = prototype._getpeername;
if (typeof read !== 'function') throw new Error('sockets read their peer in another way now: this watch sees nothing');

prototype._getpeername = function (this: Accepted): unknown {
  // Connections to other processes are our own: what they lead to is no secret.
  if (this.server || this._server || this._tlsOptions?.isServer) {
    const { stack } = new Error('an address was read');
    // The mesh's own server, which no phone and no partner reaches: gRPC notes which process calls.
    if (stack?.includes('/@grpc/grpc-js/')) return read.call(this);
    process.stderr.write(`${JSON.stringify({ level: 'error', event: 'address-read', stack })}\n`);
  }
  return read.call(this);
};
