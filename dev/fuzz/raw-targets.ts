import { connect, type Socket } from 'node:net';
import fc from 'fast-check';
import { connectTls, type Endpoint } from '../wire/endpoint.ts';
import { frame, frameType, greeting, postBlock, preface } from '../wire/frames.ts';
import { requestBytes } from '../wire/http1.ts';
import { hostileBytes } from './hostile.ts';
import { marker, socketTarget, type Target, type Verdict } from './target.ts';

interface RawInput {
  readonly writes: readonly Buffer[];
  /** Whether we end our side before the server has said anything. */
  readonly end: boolean;
}

/** After so much silence nothing more is awaited, in ms. */
const silenceMs = 40;
const width = 12;

/** Octets that need not be HTTP or TLS at all: a connection each. */
export function rawTargets(phones: Endpoint, partners: Endpoint, plainPorts: readonly number[]): Target[] {
  const overTls = (
    name: string,
    share: number,
    endpoint: Endpoint,
    protocol: 'http/1.1' | 'h2',
    inputs: fc.Arbitrary<RawInput>,
  ) => socketTarget(name, share, width, inputs, async (input) => speak(await connectTls(endpoint, protocol), input));
  const overTcp = (name: string, share: number, ports: readonly number[], inputs: fc.Arbitrary<RawInput>) =>
    socketTarget(name, share, width, fc.tuple(fc.constantFrom(...ports), inputs), async ([port, input]) =>
      speak(await tcp(port), input),
    );
  return [
    overTls('raw octets in TLS, HTTP/1.1', 2, phones, 'http/1.1', spoken(heads)),
    overTls('raw octets in TLS, HTTP/2', 2, phones, 'h2', fc.oneof(frames, spoken([preface, greeting]))),
    overTls('raw octets in TLS, partners', 1, partners, 'http/1.1', spoken(heads)),
    overTls('raw octets in TLS, partners, HTTP/2', 1, partners, 'h2', frames),
    overTcp('raw octets on the TLS ports', 1, [phones.port, partners.port], spoken([...heads, clientHello])),
    overTcp(
      'raw octets on the management ports',
      1,
      plainPorts,
      spoken([...heads, Buffer.from('GET /health/ready HTTP/1.1\r\nhost: x\r\n\r\n')]),
    ),
  ];
}

const json: [string, string] = ['content-type', 'application/json'];
const heads = [
  requestBytes({
    path: '/version/v1/tan',
    headers: [json, ['cwa-fake', '0']],
    body: Buffer.from(`{"registrationToken":"${marker}"}`),
  }),
  requestBytes({ path: '/version/v1/tan', headers: [json], body: Buffer.from('{}'), chunked: true }),
  requestBytes({ method: 'GET', path: `/version/v1/${marker}`, headers: [['cookie', marker]] }),
  requestBytes({
    path: '/version/v1/diagnosis-keys',
    headers: [
      ['content-type', 'application/x-protobuf'],
      ['expect', '100-continue'],
      ['content-length', '99999999999'],
    ],
  }),
  Buffer.from(
    `POST /version/v1/tan HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /${marker} HTTP/1.1\r\n\r\n`,
  ),
  Buffer.from(
    `CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\nGET / HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n`,
  ),
  Buffer.from(
    'GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n\r\n',
  ),
  greeting,
];

/** The start of a TLS 1.2 record with a handshake message in it. */
const clientHello = Buffer.from('16030100310100002d0303' + '11'.repeat(32) + '000002130101000000', 'hex');

function spoken(goods: readonly Uint8Array[]): fc.Arbitrary<RawInput> {
  return fc.record({ writes: fc.array(hostileBytes(goods), { minLength: 1, maxLength: 3 }), end: fc.boolean() });
}

const block = fc.oneof(
  fc.constantFrom(
    postBlock('/version/v1/tan', [json]),
    postBlock(`/version/v1/${marker}`, [
      ['connection', 'close'],
      ['te', 'x'],
      ['transfer-encoding', 'chunked'],
    ]),
    postBlock('', [
      ['Upper', 'case'],
      [':late', 'pseudo'],
    ]),
    Buffer.from('82868441', 'hex'),
    Buffer.from('3fe1ff03', 'hex'),
  ),
  hostileBytes([postBlock('/version/v1/tan', [json])], 60),
);
const anyFrame = fc.record({
  type: fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...Object.values(frameType)) },
    { weight: 1, arbitrary: fc.nat(255) },
  ),
  flags: fc.oneof(fc.constantFrom(0, 1, 4, 5, 8, 0x20, 0x2d), fc.nat(255)),
  stream: fc.constantFrom(0, 1, 1, 3, 5, 2, 2 ** 31 - 1, 2 ** 31),
  payload: fc.oneof(
    block,
    fc.uint8Array({ maxLength: 40 }),
    fc.constantFrom(Buffer.alloc(4), Buffer.alloc(8), Buffer.alloc(16_384), Buffer.alloc(17_000)),
  ),
  lie: fc.constantFrom(0, 0, 0, 0, 0, 1, -1, 70_000),
});
const frames: fc.Arbitrary<RawInput> = fc.record({
  writes: fc.array(anyFrame, { maxLength: 8 }).map((list) => [Buffer.concat([greeting, ...list.map(framed)])]),
  end: fc.boolean(),
});

function framed({
  type,
  flags,
  stream,
  payload,
  lie,
}: {
  type: number;
  flags: number;
  stream: number;
  payload: Uint8Array;
  lie: number;
}): Buffer {
  const bytes = frame(type, flags, stream, payload);
  bytes.writeUIntBE(Math.max(0, Math.min(0xff_ffff, payload.length + lie)), 0, 3);
  return bytes;
}

async function tcp(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  await new Promise<void>((done, failed) => {
    socket.once('connect', done);
    socket.once('error', failed);
  });
  return socket;
}

/** Writes everything and listens until the server hangs up or falls silent. */
async function speak(socket: Socket, { writes, end }: RawInput): Promise<Verdict> {
  const heard: Buffer[] = [];
  let closed = false;
  await new Promise<void>((done) => {
    let timer = setTimeout(done, silenceMs * 3);
    socket.on('data', (chunk: Buffer) => {
      heard.push(chunk);
      clearTimeout(timer);
      timer = setTimeout(done, silenceMs);
    });
    socket.on('error', () => {});
    socket.once('close', () => {
      closed = true;
      clearTimeout(timer);
      done();
    });
    for (const bytes of writes) if (!socket.destroyed) socket.write(bytes);
    if (end) socket.end();
  });
  socket.destroy();
  const text = Buffer.concat(heard).toString('latin1');
  if (text.includes(marker)) throw new Error('the answer repeats the input');
  const faults = [...text.matchAll(/HTTP\/1\.1 (5\d\d)/g)].map((match) => match[1]);
  if (faults.some((status) => status !== '503')) throw new Error(`answered ${faults.join(', ')}`);
  const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1];
  return status ?? (closed ? 'closed' : text === '' ? 'silence' : 'octets');
}
