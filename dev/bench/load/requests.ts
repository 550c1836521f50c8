import { randomFillSync } from 'node:crypto';
import { utcDay, INTERVALS_PER_DAY } from '../../../lib/exposure/intervals.ts';
import { secureRandom } from '../../../lib/random/random.ts';
import { paddedJson } from '../../../phone/padding.ts';
import { uploadRequest } from '../../../phone/upload-requests.ts';
import type { Requests } from './job.ts';
import { seededUuid } from './seeded-uuid.ts';

/** The next whole HTTP/1.1 request, or undefined when nothing is left to ask. */
export type NextRequest = () => Buffer | undefined;

const host = 'host: localhost\r\n';
const keysPerUpload = 14;
const keyOctets = 16;

/** Requests are made from a template that the phone's own code wrote once, so that making one costs next to nothing. */
export function requestsOf(requests: Requests): NextRequest {
  switch (requests.kind) {
    case 'uploads':
      return uploads(requests);
    case 'polls':
      return polls(requests.seed, requests.count);
    case 'downloads':
      return downloads(requests.paths, requests.etags);
  }
}

function uploads({ seed, first = 0, count, nowSeconds }: Extract<Requests, { kind: 'uploads' }>): NextRequest {
  const template = uploadTemplate(nowSeconds);
  let next = first;
  return () => {
    if (next === first + count) return undefined;
    const request = Buffer.from(template.bytes);
    request.write(seededUuid(seed, next++), template.tanAt, 'latin1');
    for (const at of template.keysAt) randomFillSync(request, at, keyOctets);
    return request;
  };
}

function uploadTemplate(nowSeconds: number) {
  const today = utcDay(nowSeconds);
  const marks = Array.from({ length: keysPerUpload }, () => secureRandom.bytes(keyOctets));
  const keys = marks.map((keyData, i) => ({
    keyData,
    rollingStartIntervalNumber: (today - 1 - (i % 13)) * INTERVALS_PER_DAY,
    rollingPeriod: INTERVALS_PER_DAY,
    transmissionRiskLevel: (i % 8) + 1,
    daysSinceOnsetOfSymptoms: i,
  }));
  const tan = seededUuid('any', 0);
  const meta = { visitedCountries: ['DE', 'FR'], consentToFederation: true, origin: 'DE' };
  const { path, headers, body } = uploadRequest(keys, meta, tan, secureRandom);
  const bytes = post(path, headers, body ?? Buffer.alloc(0));
  return { bytes, tanAt: bytes.indexOf(tan), keysAt: marks.map((mark) => bytes.indexOf(mark)) };
}

function polls(seed: string, count: number): NextRequest {
  const token = seededUuid(seed, 0);
  const headers = { 'content-type': 'application/json', 'cwa-fake': '0', 'cwa-header-padding': '' };
  const template = post('/version/v1/testresult', headers, paddedJson({ registrationToken: token }, secureRandom));
  const tokenAt = template.indexOf(token);
  let next = 0;
  return () => {
    const request = Buffer.from(template);
    request.write(seededUuid(seed, next++ % count), tokenAt, 'latin1');
    return request;
  };
}

function downloads(paths: readonly string[], etags: readonly string[] = []): NextRequest {
  const requests = paths.map((path, i) => {
    const condition = etags[i] === undefined ? '' : `if-none-match: ${etags[i]}\r\n`;
    return Buffer.from(`GET ${path} HTTP/1.1\r\n${host}${condition}\r\n`);
  });
  let next = 0;
  return () => requests[next++ % requests.length];
}

function post(path: string, headers: Readonly<Record<string, string>>, body: Uint8Array): Buffer {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `POST ${path} HTTP/1.1\r\n${host}${lines.join('')}content-length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head, 'latin1'), body]);
}
