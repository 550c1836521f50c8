import { type ClientHttp2Session, connect, constants, type OutgoingHttpHeaders } from 'node:http2';
import type { Endpoint } from './endpoint.ts';
import { connectTls } from './endpoint.ts';
import { answerLimitMs, type NoAnswer, type WireAnswer, type WireClient, type WireRequest } from './exchange.ts';

/** HTTP/2 on one kept session, opened anew when the server has ended it; many requests at a time. */
export function http2Client(endpoint: Endpoint): WireClient {
  let opening: Promise<ClientHttp2Session> | undefined;
  let session: ClientHttp2Session | undefined;
  return {
    async send(request) {
      if (opening === undefined || session?.closed || session?.destroyed) {
        session = undefined;
        opening = openSession(endpoint);
      }
      session = await opening;
      return exchange(session, request);
    },
    close: () => session?.destroy(),
  };
}

export async function openSession(endpoint: Endpoint): Promise<ClientHttp2Session> {
  const socket = await connectTls(endpoint, 'h2');
  const session = connect(`https://localhost:${endpoint.port}`, { createConnection: () => socket });
  session.on('error', () => {});
  return session;
}

function exchange(session: ClientHttp2Session, request: WireRequest): Promise<WireAnswer | NoAnswer> {
  const { method = 'POST', path, headers = [], body } = request;
  const block: OutgoingHttpHeaders = { ':method': method, ':path': path, ':authority': 'localhost' };
  for (const [name, value] of headers) block[name.toLowerCase()] = value;
  return new Promise((done) => {
    const start = performance.now();
    const stream = session.request(block, { endStream: body === undefined || body.length === 0 });
    const chunks: Buffer[] = [];
    let got: Omit<WireAnswer, 'body'> | undefined;
    const finish = (answer: WireAnswer | NoAnswer) => {
      clearTimeout(timer);
      done(answer);
    };
    const timer = setTimeout(() => {
      stream.close(constants.NGHTTP2_CANCEL);
      finish('silent');
    }, answerLimitMs);
    stream.on('response', (answer) => {
      const { [':status']: status = 0, ...rest } = answer;
      const texts = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, String(value)]));
      const head = Object.entries(texts).map(([name, value]) => `${name}: ${value}\r\n`);
      got = { status, headers: texts, head: head.join(''), ms: performance.now() - start };
    });
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', () => {});
    stream.on('close', () => finish(got === undefined ? 'closed' : { ...got, body: Buffer.concat(chunks) }));
    if (body !== undefined && body.length > 0) stream.end(body);
  });
}
