import type { ServerHttp2Session } from 'node:http2';
import { TLSSocket, type PeerCertificate } from 'node:tls';

/** The SAN URI that names a process of the mesh. */
export const spiffeId = (processName: string): string => `spiffe://cwa/${processName}`;

/**
 * The process that a certificate names by its one SAN URI, or undefined. The common name is never looked at. Node
 * prints entries as `DNS:a, URI:spiffe://cwa/a` and quotes a value that could be taken for two, so a list that is not
 * plainly of that form names nobody.
 */
export function processOf(subjectAltName = ''): string | undefined {
  const uris: string[] = [];
  let end = 0;
  for (const match of subjectAltName.matchAll(entry)) {
    if (match.index !== end) return undefined;
    if (match[1] === 'URI') uris.push(match[2] ?? '');
    end += match[0].length;
  }
  if (end !== subjectAltName.length || uris.length !== 1) return undefined;
  return /^spiffe:\/\/cwa\/([a-z][a-z0-9-]{0,39})$/.exec(uris[0] ?? '')?.[1];
}

const entry = /(?:^|, )([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,"]*)/g;

/** For a client's TLS: an error unless the server's certificate names this process. */
export function checkServerProcess(
  expected: string,
): (host: string, certificate: PeerCertificate) => Error | undefined {
  return (_host, certificate) =>
    processOf(certificate.subjectaltname) === expected
      ? undefined
      : new Error('the server certificate names another process');
}

/** What both sides of grpc-js offer: the interceptor's call itself, and the call that a handler is given. */
interface WithAuthContext {
  getAuthContext(): { sslPeerCertificate?: PeerCertificate };
}

const callers = new WeakMap<ServerHttp2Session, string | undefined>();

/**
 * The caller's process name. A connection's certificate never changes, so it is read once a connection: reading it for
 * each call takes 41 µs, half of what a call costs the server. grpc-js keeps the connection in a private field; should
 * a release move it, the public and slower way answers.
 */
export function callerOf(call: WithAuthContext): string | undefined {
  const session = sessionOf(call);
  if (session === undefined) return processOf(call.getAuthContext().sslPeerCertificate?.subjectaltname);
  if (callers.has(session)) return callers.get(session);
  const { socket } = session;
  const authorized = socket instanceof TLSSocket && socket.authorized;
  const caller = authorized ? processOf(call.getAuthContext().sslPeerCertificate?.subjectaltname) : undefined;
  callers.set(session, caller);
  return caller;
}

function sessionOf(call: object): ServerHttp2Session | undefined {
  const { stream, call: inner } = call as { stream?: { session?: ServerHttp2Session }; call?: object };
  if (stream?.session) return stream.session;
  return inner === undefined ? undefined : sessionOf(inner);
}
