import { expect, test } from 'vitest';
import { readProbeRequest, signProbeRequest } from './probe-request.ts';

const secret = 'a secret of the prober and of the gateway';
const path = '/version/v1/tan';
const mark = { seconds: 1_800_000_000, nonce: '0123456789abcdef'.repeat(2) };

test('a header is read back for the path and the secret it was made for', () => {
  const header = signProbeRequest(secret, path, mark);
  expect(readProbeRequest(secret, path, header)).toEqual(mark);
  expect(readProbeRequest(secret, '/version/v1/testresult', header)).toBeUndefined();
  expect(readProbeRequest('another secret', path, header)).toBeUndefined();
});

test('what was changed, cut or made up is no mark', () => {
  const header = signProbeRequest(secret, path, mark);
  const changed = [
    header.replace('1800000000', '1800000001'),
    header.replace('0123', '0124'),
    `${header.slice(0, -1)}${header.endsWith('0') ? '1' : '0'}`,
  ];
  for (const other of [
    ...changed,
    '',
    '..',
    'x',
    header.slice(1),
    header.slice(0, -1),
    `${header}, ${header}`,
    header.toUpperCase(),
  ]) {
    expect(readProbeRequest(secret, path, other)).toBeUndefined();
  }
});
