import {
  Code,
  ConnectError,
  type ConnectRouter,
  type ContextValues,
  createConnectRouter,
  createContextKey,
  type Interceptor,
} from '@connectrpc/connect';
import { trailerFrame } from './answer-size.ts';
import type { RequestHead } from './phone-route.ts';

/** What a Connect or gRPC-web call is answered, still without headers and padding. */
export interface RpcAnswer {
  readonly status: number;
  readonly contentType: string | undefined;
  readonly body: Buffer;
}

export interface RpcMethod {
  readonly path: string;
  readonly name: string;
  /** Number of the answer's field `response_padding`, 0 where there is none. */
  readonly paddingField: number;
  call(head: RequestHead, body: Buffer, contextValues: ContextValues): Promise<RpcAnswer>;
}

/** Headers that reach the protocols and the handlers; addresses, agents, time-outs and the rest end at the edge. */
const passed = [
  'content-type',
  'content-encoding',
  'connect-protocol-version',
  'cwa-fake',
  'cwa-authorization',
  'cwa-otp',
];

/**
 * The methods of Connect services as functions from head and body to answer. The ready-made plugin for fastify writes
 * its answers itself, when they are ready and as long as they come out; these can be held, sized and cleared of text.
 * Answers are never compressed: that would show how long they were.
 */
export function connectMethods(routes: (router: ConnectRouter) => void, maxBytes: number): RpcMethod[] {
  const interceptors = [markDecoded];
  const router = createConnectRouter({ grpc: false, acceptCompression: [], readMaxBytes: maxBytes, interceptors });
  routes(router);
  return router.handlers.map((handler) => ({
    path: handler.requestPath,
    name: handler.method.name,
    paddingField: handler.method.output.fields.find((field) => field.name === 'response_padding')?.number ?? 0,
    async call(head, body, contextValues) {
      const state = { decoded: false };
      contextValues.set(decoding, state);
      const header = new Headers();
      for (const name of passed) {
        const value = head.header(name);
        if (value !== undefined) header.set(name, value);
      }
      const answer = await handler({
        httpVersion: '2.0',
        url: `https://gateway${handler.requestPath}`,
        method: 'POST',
        header,
        body: oneChunk(body),
        signal: new AbortController().signal,
        contextValues,
      });
      const contentType = answer.header?.get('content-type') ?? undefined;
      const bytes = withoutText(answer.status, contentType, await whole(answer.body));
      return state.decoded
        ? { status: answer.status, contentType, body: bytes }
        : undecoded(answer.status, contentType, bytes);
    },
  }));
}

const decoding = createContextKey<{ decoded: boolean }>({ decoded: false });

const markDecoded: Interceptor = (next) => (request) => {
  request.contextValues.get(decoding).decoded = true;
  return next(request);
};

/**
 * Octets that are no message of the method: Connect calls some of them internal errors, and an encoding that is not
 * served unimplemented (501), but they are the caller's.
 */
function undecoded(status: number, contentType: string | undefined, body: Buffer): RpcAnswer {
  if (contentType?.startsWith('application/grpc-web'))
    return { status, contentType, body: grpcStatus(Code.InvalidArgument) };
  return status >= 500
    ? { status: 400, contentType, body: Buffer.from('{"code":"invalid_argument"}') }
    : { status, contentType, body };
}

/** An error of a status of S, without any text. */
export function connectError(status: 400 | 403 | 404 | 413 | 500 | 503): ConnectError {
  const codes = {
    400: Code.InvalidArgument,
    403: Code.PermissionDenied,
    404: Code.NotFound,
    413: Code.ResourceExhausted,
    500: Code.Internal,
    503: Code.Unavailable,
  };
  return new ConnectError('', codes[status]);
}

async function* oneChunk(body: Buffer): AsyncIterable<Uint8Array> {
  yield body;
}

async function whole(chunks: AsyncIterable<Uint8Array> | undefined): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks ?? []) parts.push(chunk);
  return Buffer.concat(parts);
}

/** Connect says what it could not decode, and that is text of the caller: only codes leave. */
function withoutText(status: number, contentType: string | undefined, body: Buffer): Buffer {
  if (contentType?.startsWith('application/grpc-web')) {
    const at = trailerFrame(body);
    if (at === undefined) return body;
    const code = /grpc-status: *(\d+)/i.exec(body.subarray(at + 5).toString())?.[1] ?? '2';
    return Buffer.concat([body.subarray(0, at), grpcStatus(Number(code))]);
  }
  if (status === 200 || body.length === 0) return body;
  const { code } = JSON.parse(body.toString()) as { code?: string };
  return Buffer.from(JSON.stringify({ code: code ?? 'unknown' }));
}

/** The frame of gRPC-web's trailers with a status and nothing else. */
function grpcStatus(code: number): Buffer {
  const data = Buffer.from(`grpc-status: ${code}\r\n`);
  return Buffer.concat([Buffer.from([0x80, 0, 0, 0, data.length]), data]);
}
