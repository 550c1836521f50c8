import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { SecurityRecord } from '../telemetry/security-feed/record.ts';
import type { TestPki } from './pki.ts';

/** Takes security events over TLS from whoever has a certificate of the CA; `open` again after `close` on the same port. */
export async function testCollector(pki: TestPki) {
  const { cert, key } = await pki.authority.issue({ dns: ['localhost'], ips: ['127.0.0.1'], usage: 'server' });
  let port = 0;
  const collector = {
    /** Bodies of the requests, in lines, whatever was answered. */
    requests: [] as string[][],
    /** What was answered with 2xx, in order. */
    taken: [] as SecurityRecord[],
    protocols: new Set<string | null>(),
    /** Decides the status of each request. */
    answer: (_lines: readonly string[]): number | Promise<number> => 204,
    url: (): URL => new URL(`https://localhost:${port}/events`),
    open: async (): Promise<void> => {
      await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
      port = (server.address() as AddressInfo).port;
    },
    close: async (): Promise<void> => {
      server.closeAllConnections();
      if (server.listening) await new Promise((done) => server.close(done));
    },
    /** The first arrivals, without what came again. */
    once: (): SecurityRecord[] => [...new Map(collector.taken.map((record) => [record.id, record])).values()],
    until: async (holds: () => boolean, limitMs = 10_000): Promise<void> => {
      for (const end = performance.now() + limitMs; !holds(); await delay(5)) {
        if (performance.now() > end) throw new Error('what was waited for has not come');
      }
    },
  };
  const options = {
    cert,
    key,
    ca: pki.authority.ca,
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
  };
  const server = createServer(options as object, async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const lines = Buffer.concat(chunks).toString().split('\n').slice(0, -1);
    collector.requests.push(lines);
    const status = await collector.answer(lines);
    if (status >= 200 && status < 300) collector.taken.push(...lines.map((line) => JSON.parse(line) as SecurityRecord));
    response.writeHead(status).end();
  });
  await collector.open();
  return collector;
}
