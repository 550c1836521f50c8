import { create, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import {
  GetTestResultRequestSchema,
  IssueTanRequestSchema,
  KeyType,
  RegisterTokenRequestSchema,
} from '../../gen/edge/cwa/phone/v1/phone_pb.ts';
import { LookUpResultRequestSchema, ReportResultsRequestSchema, TestFamily } from '../../gen/edge/cwa/lab/v1/lab_pb.ts';
import type { WireRequest } from '../wire/exchange.ts';
import { hostileBytes, hostileText, strangeJson, strangeText } from './hostile.ts';
import { marker } from './target.ts';

/** Credentials that the mesh knows, so that some inputs get past the first check. */
export interface Known {
  readonly tokens: readonly string[];
  readonly tans: readonly string[];
  readonly uploads: readonly Uint8Array[];
  /** Objects that exist in the store. */
  readonly objects: readonly string[];
}

interface Route {
  readonly path: string;
  readonly types: readonly string[];
  readonly bodies: fc.Arbitrary<Uint8Array>;
}

const jsonTypes = ['application/json', 'application/json; charset=utf-8'];
const rpcTypes = [
  'application/json',
  'application/proto',
  'application/grpc-web+proto',
  'application/grpc-web+json',
  'application/grpc-web-text',
  'application/connect+json',
  'application/grpc',
];
const strangeTypes = [
  '',
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/JSON;;',
  ';',
  marker,
];
const methods = ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'PROPFIND', 'M-SEARCH', 'QUERY'];

/** Requests to the phones' port, by REST, Connect and gRPC-web, and for downloads. */
export function phoneRequests(known: Known): fc.Arbitrary<WireRequest> {
  const token = fc.oneof(fc.constantFrom(...known.tokens), hostileText(known.tokens));
  const key = fc.oneof(hex64, hostileText(['9A3B578UMG', 'a'.repeat(64)]), strangeJson);
  const register = {
    keyType: fc.oneof(fc.constantFrom('GUID', 'TELETAN'), strangeJson),
    key,
    keyDob: fc.option(fc.oneof(hex64, strangeJson)),
  };
  const tokenJson = jsonBodies({ registrationToken: fc.oneof(token, strangeJson) });
  const uploads = hostileBytes(known.uploads);
  const rest: Route[] = [
    { path: '/version/v1/diagnosis-keys', types: ['application/x-protobuf'], bodies: uploads },
    { path: '/version/v1/submission-on-behalf', types: ['application/x-protobuf'], bodies: uploads },
    ...['/version/v1/registrationToken', '/api/v1/registrationToken'].map((path) => ({
      path,
      types: jsonTypes,
      bodies: jsonBodies(register),
    })),
    ...['/version/v1/testresult', '/api/v1/testresult', '/version/v1/tan', '/api/tan'].map((path) => ({
      path,
      types: jsonTypes,
      bodies: tokenJson,
    })),
  ];
  const [sampleToken = ''] = known.tokens;
  const messages = [
    toBinary(
      RegisterTokenRequestSchema,
      create(RegisterTokenRequestSchema, { keyType: KeyType.GUID, key: 'a'.repeat(64), requestPadding: marker }),
    ),
    toBinary(GetTestResultRequestSchema, create(GetTestResultRequestSchema, { registrationToken: sampleToken })),
    toBinary(IssueTanRequestSchema, create(IssueTanRequestSchema, { registrationToken: sampleToken })),
    ...known.uploads.map((bytes) =>
      Buffer.concat([Buffer.of(0x0a, (bytes.length & 0x7f) | 0x80, bytes.length >> 7), bytes]),
    ),
  ];
  const rpc = ['RegisterToken', 'GetTestResult', 'IssueTan', 'SubmitKeys', 'SubmitKeysOnBehalf'].map((method) => ({
    path: `/cwa.phone.v1.PhoneService/${method}`,
    types: rpcTypes,
    bodies: rpcBodies(
      messages,
      jsonBodies({
        ...register,
        registrationToken: token,
        payload: fc.oneof(strangeJson, fc.constant({ keys: [{ keyData: 'AAAA' }] })),
      }),
    ),
  }));
  const downloads = [
    '/version',
    '/version/v1',
    ...known.objects,
    `/version/${marker}`,
    '/version/../../etc/passwd',
    '/version/v1/%2e%2e/x',
    '/',
    '*',
    '//',
    `/${marker}`,
    '/health/live',
    '/metrics',
    `/version/${'a/'.repeat(300)}`,
  ];
  const others: Route[] = downloads.map((path) => ({
    path,
    types: strangeTypes,
    bodies: hostileBytes([Buffer.from(marker)], 40),
  }));
  return fc.oneof(
    { weight: 6, arbitrary: requests(rest, known, 'POST') },
    { weight: 3, arbitrary: requests(rpc, known, 'POST') },
    { weight: 1, arbitrary: requests(others, known, 'GET') },
  );
}

/** Requests to the partners' port, by REST and Connect. */
export function partnerRequests(known: Known): fc.Arbitrary<WireRequest> {
  const row = fc.record(
    {
      id: fc.oneof(hex64, strangeJson),
      result: fc.oneof(fc.integer({ min: -1, max: 16 }), strangeJson),
      sc: fc.oneof(fc.constant(1_700_000_000), strangeJson),
    },
    { requiredKeys: [] },
  );
  const labId = fc.oneof(fc.constant('lab-1'), strangeJson);
  const reports = jsonBodies({
    testResults: fc.oneof(fc.array(row, { maxLength: 5 }), fc.array(row, { maxLength: 5 }), strangeJson),
    labId,
    family: strangeJson,
    results: fc.array(row, { maxLength: 3 }),
  });
  const ids = jsonBodies({ id: fc.oneof(fc.constant('b'.repeat(64)), strangeJson), family: strangeJson });
  const rest: Route[] = [
    ...['lab', 'quicktest', 'pocnat'].map((route) => ({
      path: `/api/v1/${route}/results`,
      types: jsonTypes,
      bodies: reports,
    })),
    ...['quicktest', 'pocnat'].map((route) => ({ path: `/api/v1/${route}/result`, types: jsonTypes, bodies: ids })),
    { path: '/api/v1/app/result', types: jsonTypes, bodies: ids },
  ];
  const messages = [
    toBinary(
      ReportResultsRequestSchema,
      create(ReportResultsRequestSchema, {
        family: TestFamily.PCR,
        labId: 'lab-1',
        results: [{ id: 'a'.repeat(64), result: 1, sc: 1_700_000_000n }],
      }),
    ),
    toBinary(
      LookUpResultRequestSchema,
      create(LookUpResultRequestSchema, { family: TestFamily.QUICK_TEST, id: 'b'.repeat(64) }),
    ),
  ];
  const rpc = ['ReportResults', 'LookUpResult', 'GetReceipts', marker].map((method) => ({
    path: `/cwa.lab.v1.LabService/${method}`,
    types: rpcTypes,
    bodies: rpcBodies(messages, fc.oneof(reports, ids)),
  }));
  return fc.oneof(
    { weight: 2, arbitrary: requests(rest, known, 'POST') },
    { weight: 1, arbitrary: requests(rpc, known, 'POST') },
  );
}

const hex64 = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex'));

function jsonBodies(members: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Uint8Array> {
  const object = fc.record({ ...members, requestPadding: strangeText, [marker]: strangeJson }, { requiredKeys: [] });
  const text = fc
    .oneof({ weight: 4, arbitrary: object }, { weight: 1, arbitrary: strangeJson })
    .map((value) => JSON.stringify(value));
  return fc.oneof(
    { weight: 6, arbitrary: text.map((found) => Buffer.from(found)) },
    { weight: 2, arbitrary: text.chain((found) => hostileBytes([Buffer.from(found)])) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        ...['['.repeat(9_000), '{"a":'.repeat(1_900), '\ufeff{}', '{"key":1,"key":2}'].map((found) =>
          Buffer.from(found),
        ),
      ),
    },
  );
}

/** Messages bare, or in the frames of gRPC-web, sometimes with a wrong length or flag. */
function rpcBodies(messages: readonly Uint8Array[], json: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const framed = fc
    .tuple(hostileBytes(messages), fc.constantFrom(0, 0, 0, 1, 2, 0x80), fc.constantFrom(0, 0, 0, 1, -1, 2 ** 31))
    .map(([message, flag, more]) => {
      const head = Buffer.alloc(5);
      head[0] = flag;
      head.writeUInt32BE((message.length + more) >>> 0, 1);
      return Buffer.concat([head, message]);
    });
  return fc.oneof(json, framed, hostileBytes(messages));
}

function requests(routes: readonly Route[], known: Known, verb: string): fc.Arbitrary<WireRequest> {
  const tan = fc.oneof(
    fc.constantFrom(...known.tans),
    fc.uuid({ version: 4 }),
    fc.constantFrom('', 'TAN ', `TAN ${known.tans[0]}`),
    strangeText,
  );
  return fc.constantFrom(...routes).chain((route) => {
    const path = fc.oneof(
      { weight: 12, arbitrary: fc.constant(route.path) },
      {
        weight: 1,
        arbitrary: fc.constantFrom(
          `${route.path}/`,
          `${route.path}?${marker}`,
          `/${route.path}`,
          route.path.toUpperCase(),
          `${route.path}%00`,
          `http://localhost${route.path}`,
          `${route.path}#x`,
          `${route.path};x=1`,
        ),
      },
    );
    const type = fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom(...route.types) },
      { weight: 1, arbitrary: fc.constantFrom(...strangeTypes) },
    );
    const fake = fc.oneof(fc.constantFrom('0', '0', '0', '1', '4711', '-1', '00', ' 1'), strangeText);
    const body = fc.oneof({ weight: 20, arbitrary: route.bodies }, { weight: 1, arbitrary: fc.constantFrom(...large) });
    return fc
      .record({
        method: fc.oneof(
          { weight: 9, arbitrary: fc.constant(verb) },
          { weight: 1, arbitrary: fc.constantFrom(...methods) },
        ),
        path,
        type: fc.option(type, { freq: 20 }),
        fake: fc.option(fake, { freq: 20 }),
        tan: fc.option(tan, { freq: 6 }),
        more: fc.array(moreHeaders, { maxLength: 3 }),
        body,
        chunked: fc.oneof({ weight: 12, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
      })
      .map(({ method, path, type, fake, tan, more, body, chunked }) => {
        const headers: [string, string][] = [];
        if (type !== null) headers.push(['content-type', type]);
        if (fake !== null) headers.push(['cwa-fake', clean(fake)]);
        if (tan !== null) headers.push(['cwa-authorization', clean(tan)]);
        for (const [name, value] of more) headers.push([name, clean(value)]);
        return { method, path, headers, body, chunked };
      });
  });
}

const large = [10_001, 102_401, 200_000].map((size) => Buffer.alloc(size, 'x'));

const moreHeaders = fc.tuple(
  fc.constantFrom(
    'cwa-otp',
    'cwa-header-padding',
    'content-encoding',
    'accept-encoding',
    'accept',
    'connect-protocol-version',
    'connect-timeout-ms',
    'grpc-timeout',
    'if-none-match',
    'range',
    'expect',
    'cookie',
    'authorization',
    'x-forwarded-for',
    'forwarded',
    'user-agent',
    'referer',
    'origin',
    'x-http-method-override',
    'te',
    'trailer',
    'x-grpc-web',
    'priority',
    '__proto__',
    'constructor',
  ),
  fc.oneof(
    strangeText,
    fc.constantFrom(
      '1',
      'gzip',
      'gzip, br',
      'identity',
      '*',
      '0-',
      'bytes=0-1',
      '100-continue',
      'trailers',
      '9999999999',
      '-1',
      '1S',
      `"${marker}"`,
      'W/"x", *',
      'a'.repeat(9_000),
    ),
  ),
);

/** What may stand in a header: anything else would make another request of it, which the raw targets try. */
const clean = (value: string): string => value.replaceAll(/[^\x20-\x7e\x80-\xff]/g, '').trim();
