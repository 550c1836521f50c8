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
import { hostileBytes, hostileText, strangeJson } from './hostile.ts';
import { jsonBodies, rpcBodies } from './request-bodies.ts';
import { type Known, type Route, requests, strangeTypes } from './request-shape.ts';
import { marker } from './target.ts';

const hex64 = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex'));
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
