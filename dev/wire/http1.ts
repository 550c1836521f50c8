import type { TLSSocket } from 'node:tls';
import { connectTls, type Endpoint } from './endpoint.ts';
import { answerLimitMs, type NoAnswer, type WireAnswer, type WireClient, type WireRequest } from './exchange.ts';

/** HTTP/1.1 on one kept connection, opened anew when the server has closed it. */
export function http1Client(endpoint: Endpoint): WireClient {
  let socket: TLSSocket | undefined;
  return {
    async send(request) {
      if (socket === undefined || socket.destroyed || socket.readableEnded || !socket.writable)
        socket = await connectTls(endpoint, 'http/1.1');
      const { answer, keep } = await exchange(socket, request);
      if (!keep) socket.destroy();
      return answer;
    },
    close: () => socket?.destroy(),
  };
}

/** The request's octets. */
export function requestBytes({
  method = 'POST',
  path,
  headers = [],
  body = new Uint8Array(),
  chunked,
}: WireRequest): Buffer {
  const given = new Set(headers.map(([name]) => name.toLowerCase()));
  const lines = [`${method} ${path} HTTP/1.1`];
  if (!given.has('host')) lines.push('host: localhost');
  for (const [name, value] of headers) lines.push(`${name}: ${value}`);
  const hasBody = body.length > 0 || (method !== 'GET' && method !== 'HEAD');
  if (chunked) lines.push('transfer-encoding: chunked');
  else if (hasBody && !given.has('content-length')) lines.push(`content-length: ${body.length}`);
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  if (!chunked) return Buffer.concat([head, body]);
  const chunk = body.length === 0 ? [] : [Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n')];
  return Buffer.concat([head, ...chunk, Buffer.from('0\r\n\r\n')]);
}

function exchange(socket: TLSSocket, request: WireRequest): Promise<{ answer: WireAnswer | NoAnswer; keep: boolean }> {
  return new Promise((done) => {
    let received: Buffer = Buffer.alloc(0);
    let firstAt = 0;
    const start = performance.now();
    const finish = (answer: WireAnswer | NoAnswer, keep: boolean) => {
      clearTimeout(timer);
      socket.off('data', onData);
      socket.off('close', onClose);
      socket.off('end', onClose);
      done({ answer, keep });
    };
    const timer = setTimeout(() => finish('silent', false), answerLimitMs);
    const onClose = () => {
      const last = parse(received, request.method, true);
      finish(last === undefined ? 'closed' : { ...last, ms: firstAt - start }, false);
    };
    const onData = (chunk: Buffer) => {
      firstAt ||= performance.now();
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      const answer = parse(received, request.method, false);
      if (answer === undefined) return;
      const keep = answer.headers['connection']?.toLowerCase() !== 'close';
      // A server that closes wants the rest of the request gone, not answered.
      finish({ ...answer, ms: firstAt - start }, keep);
    };
    socket.on('data', onData);
    socket.once('close', onClose);
    socket.once('end', onClose);
    socket.write(requestBytes(request));
  });
}

/** The final answer in `received`; undefined while it is not whole. Interim ones (100) are passed over. */
function parse(received: Buffer, method: string | undefined, ended: boolean): Omit<WireAnswer, 'ms'> | undefined {
  let from = 0;
  for (;;) {
    const end = received.indexOf('\r\n\r\n', from);
    if (end === -1) return undefined;
    const head = received.toString('latin1', from, end + 4);
    const [first = '', ...lines] = head.trimEnd().split('\r\n');
    const status = Number(first.split(' ')[1]);
    from = end + 4;
    if (status >= 100 && status < 200) continue;
    const headers = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
    );
    const bare = method === 'HEAD' || status === 204 || status === 304;
    const length = bare ? 0 : Number(headers['content-length'] ?? 0);
    if (!ended && received.length < from + length) return undefined;
    return { status, head, headers, body: received.subarray(from, from + length) };
  }
}
