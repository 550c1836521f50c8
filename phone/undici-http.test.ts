import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { undiciHttp } from './undici-http.ts';

let seen: { request: IncomingMessage; body: string; socket: number }[] = [];
const server = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    seen.push({ request, body: Buffer.concat(parts).toString(), socket: request.socket.remotePort ?? 0 });
    response.setHeader('ETag', ['"a"', '"b"']);
    response.setHeader('Cwa-Test', 'yes');
    response.statusCode = 201;
    response.end('answer');
  });
});
let origin: string;
beforeAll(async () => {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
});

test('method, path, headers (an empty one too) and body go out, one connection is kept, names come back in lower case', async () => {
  seen = [];
  const http = undiciHttp(origin, { connections: 1 });
  const headers = { 'content-type': 'application/json', 'cwa-header-padding': '' };
  const answer = await http({ method: 'POST', path: '/version/v1/tan', headers, body: Buffer.from('{}') });
  await http({ method: 'GET', path: '/version', headers: {} });
  await http.close();
  expect(answer).toMatchObject({
    status: 201,
    headers: { etag: '"a", "b"', 'cwa-test': 'yes' },
    body: Buffer.from('answer'),
  });
  expect(seen[0]?.request).toMatchObject({ method: 'POST', url: '/version/v1/tan', httpVersion: '1.1' });
  expect(seen[0]?.request.headers['cwa-header-padding']).toBe('');
  expect(seen[0]?.request.headers['user-agent']).toBeUndefined();
  expect(seen[0]?.body).toBe('{}');
  expect(seen[1]?.socket).toBe(seen[0]?.socket);
});
