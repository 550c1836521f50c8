import { expect, test } from 'vitest';
import { phoneRequests } from '../../../gateway/fixtures/phone-requests.ts';
import { startGateway } from '../../../gateway/fixtures/start-gateway.ts';
import { type HttpVersion, openWireClient } from './wire-client.ts';

test.each<HttpVersion>(['HTTP/1.1', 'HTTP/2'])(
  'over %s every encrypted octet of an answer is counted',
  async (version) => {
    const gateway = await startGateway();
    const client = await openWireClient(version, { port: gateway.phonePort, ca: gateway.ca });
    const ask = (name: string, kind: 'real' | 'fake') => {
      const { path, headers = {}, body = '' } = phoneRequests[name]?.[kind] ?? { path: '' };
      return client.send(client.prepare({ path, headers: Object.entries(headers), body: Buffer.from(body) }));
    };
    // The first answer also carries what TLS and HTTP/2 say at the start of a connection.
    await ask('testresult', 'real');
    const real = await ask('testresult', 'real');
    const fake = await ask('testresult', 'fake');
    const upload = await ask('diagnosis-keys', 'real');
    expect([real.status, fake.status, upload.status]).toEqual([200, 200, 200]);
    expect(fake.octets).toBe(real.octets);
    // The upload's answer has no body: 250 octets less, beside frames and records.
    expect(real.octets).toBeGreaterThan(550);
    expect(real.octets - upload.octets).toBeGreaterThanOrEqual(250);
    expect(real.octets - upload.octets).toBeLessThan(300);
    expect(real.ms).toBeGreaterThan(0);
    client.close();
    await gateway.close();
  },
);
