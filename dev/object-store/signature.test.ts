import { hash } from 'node:crypto';

import { expect, test } from 'vitest';

import { decodeAwsChunked } from './aws-chunked.ts';
import { verifySignature } from './signature.ts';
import type { SignedRequest, VerifiedSignature } from './signature.ts';

// The published examples of the S3 documentation ("Signature Calculations for the Authorization Header").
const rules = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  nowMs: Date.UTC(2013, 4, 24),
  clockToleranceMs: 15 * 60_000,
};
const scope = 'AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request';

function authorization(names: string, signature: string): string {
  return `AWS4-HMAC-SHA256 Credential=${scope},SignedHeaders=${names},Signature=${signature}`;
}

const getObject: SignedRequest = {
  method: 'GET',
  path: '/test.txt',
  query: [],
  headers: {
    host: 'examplebucket.s3.amazonaws.com',
    range: 'bytes=0-9',
    'x-amz-content-sha256': hash('sha256', ''),
    'x-amz-date': '20130524T000000Z',
    authorization: authorization(
      'host;range;x-amz-content-sha256;x-amz-date',
      'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    ),
  },
};

const listObjects: SignedRequest = {
  ...getObject,
  path: '/',
  query: [
    ['prefix', 'J'],
    ['max-keys', '2'],
  ],
  headers: {
    host: 'examplebucket.s3.amazonaws.com',
    'x-amz-content-sha256': hash('sha256', ''),
    'x-amz-date': '20130524T000000Z',
    authorization: authorization(
      'host;x-amz-content-sha256;x-amz-date',
      '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
    ),
  },
};

function withHeaders(headers: Record<string, string | undefined>): SignedRequest {
  return { ...getObject, headers: { ...getObject.headers, ...headers } };
}

test('published signatures of GET object and GET bucket are accepted', () => {
  expect(verifySignature(getObject, rules).scope).toBe('20130524/us-east-1/s3/aws4_request');
  expect(verifySignature(listObjects, rules).timestamp).toBe('20130524T000000Z');
});

test.each<[string, SignedRequest, string]>([
  ['another method', { ...getObject, method: 'PUT' }, 'SignatureDoesNotMatch'],
  ['another path', { ...getObject, path: '/test2.txt' }, 'SignatureDoesNotMatch'],
  ['another query', { ...getObject, query: [['a', '']] }, 'SignatureDoesNotMatch'],
  ['another signed header', withHeaders({ range: 'bytes=0-10' }), 'SignatureDoesNotMatch'],
  ['another payload hash', withHeaders({ 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' }), 'SignatureDoesNotMatch'],
  ['an unsigned x-amz header', withHeaders({ 'x-amz-meta-a': 'b' }), 'AccessDenied'],
  ['no signature', withHeaders({ authorization: undefined }), 'AccessDenied'],
  ['a malformed signature', withHeaders({ authorization: 'AWS4-HMAC-SHA256 x' }), 'AuthorizationHeaderMalformed'],
  [
    'host not signed',
    withHeaders({ authorization: authorization('x-amz-content-sha256;x-amz-date', '0'.repeat(64)) }),
    'AccessDenied',
  ],
])('refused: %s', (_, request, code) => {
  expect(() => verifySignature(request, rules)).toThrowError(expect.objectContaining({ code }));
});

test('refused: a wrong secret, an unknown access key', () => {
  const wrong = { ...rules, secretAccessKey: 'other' };
  expect(() => verifySignature(getObject, wrong)).toThrowError(
    expect.objectContaining({ code: 'SignatureDoesNotMatch', status: 403 }),
  );
  const unknown = { ...rules, accessKeyId: 'OTHER' };
  expect(() => verifySignature(getObject, unknown)).toThrowError(
    expect.objectContaining({ code: 'InvalidAccessKeyId', status: 403 }),
  );
});

test('a clock exactly 15 minutes away passes, one second more is RequestTimeTooSkewed; the tolerance is a setting', () => {
  const at =
    (seconds: number, more = {}) =>
    () =>
      verifySignature(getObject, { ...rules, nowMs: rules.nowMs + seconds * 1000, ...more });
  for (const sign of [1, -1]) {
    expect(at(sign * 900)).not.toThrow();
    expect(at(sign * 901)).toThrowError(expect.objectContaining({ code: 'RequestTimeTooSkewed', status: 403 }));
    expect(at(sign * 14 * 86_400, { clockToleranceMs: 15 * 86_400_000 })).not.toThrow();
  }
});

const chunkedHeaders = {
  host: 's3.amazonaws.com',
  'content-encoding': 'aws-chunked',
  'content-length': '66824',
  'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
  'x-amz-date': '20130524T000000Z',
  'x-amz-decoded-content-length': '66560',
  'x-amz-storage-class': 'REDUCED_REDUNDANCY',
  authorization: authorization(
    'content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class',
    '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9',
  ),
};
const putChunked: SignedRequest = {
  method: 'PUT',
  path: '/examplebucket/chunkObject.txt',
  query: [],
  headers: chunkedHeaders,
};
const SIGNED_CHUNKS = [
  'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648',
  '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497',
  'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9',
];

function chunked([first, second, last]: string[], letter = 'a'): Buffer {
  const a = (n: number): string => letter.repeat(n);
  return Buffer.from(
    `10000;chunk-signature=${first}\r\n${a(65536)}\r\n400;chunk-signature=${second}\r\n${a(1024)}\r\n0;chunk-signature=${last}\r\n\r\n`,
  );
}

test('the published signed chunks are decoded; a changed byte or signature is refused', () => {
  const seed = verifySignature(putChunked, rules);
  expect(chunked(SIGNED_CHUNKS)).toHaveLength(66_824);

  const { body, trailers } = decodeAwsChunked(chunked(SIGNED_CHUNKS), seed, 66_560);

  expect(body.equals(Buffer.alloc(66_560, 'a'))).toBe(true);
  expect(trailers).toEqual({});
  const refused = expect.objectContaining({ code: 'SignatureDoesNotMatch' });
  expect(() => decodeAwsChunked(chunked(SIGNED_CHUNKS, 'b'), seed, 66_560)).toThrowError(refused);
  expect(() => decodeAwsChunked(chunked(SIGNED_CHUNKS.toReversed()), seed, 66_560)).toThrowError(refused);
});

test('published signed chunks with a signed trailer are decoded; a changed trailer is refused', () => {
  const seed: VerifiedSignature = {
    ...verifySignature(putChunked, rules),
    payloadHash: 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
    signature: '106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e',
  };
  const chunks = chunked([
    'b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2',
    '1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7',
    '2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992',
  ]).subarray(0, -2);
  const withTrailer = (crc: string): Buffer =>
    Buffer.concat([
      chunks,
      Buffer.from(
        `x-amz-checksum-crc32c:${crc}\r\nx-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n`,
      ),
    ]);

  expect(decodeAwsChunked(withTrailer('sOO8/Q=='), seed, 66_560).trailers).toEqual({
    'x-amz-checksum-crc32c': 'sOO8/Q==',
  });
  expect(() => decodeAwsChunked(withTrailer('sOO8/A=='), seed, 66_560)).toThrowError(
    expect.objectContaining({ code: 'SignatureDoesNotMatch' }),
  );
});

test.each([
  ['cut in a chunk', '5\r\nabc'],
  ['cut before the end chunk', '3\r\nabc\r\n'],
  ['wrong decoded length', '2\r\nab\r\n0\r\n\r\n'],
  ['no line end after a chunk', '3\r\nabcd\r\n0\r\n\r\n'],
  ['no hex length', 'x\r\nabc\r\n0\r\n\r\n'],
  ['empty', ''],
])('an unsigned chunked body is refused: %s', (_, raw) => {
  const seed = {
    payloadHash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
    signature: '',
    timestamp: '',
    scope: '',
    signingKey: Buffer.alloc(0),
  };
  expect(() => decodeAwsChunked(Buffer.from(raw), seed, 3)).toThrowError(expect.objectContaining({ status: 400 }));
});
