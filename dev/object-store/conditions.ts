import type { IncomingHttpHeaders } from 'node:http';

import type { StoredObject } from './object-folder.ts';
import { S3Error, noSuchKey, notImplemented, preconditionFailed } from './s3-error.ts';

/** If-Match and If-None-Match of a PUT, strictly as S3: `*` is the only If-None-Match. */
export function checkWriteConditions(headers: IncomingHttpHeaders, existing: StoredObject | undefined): void {
  const noneMatch = headers['if-none-match'];
  if (noneMatch !== undefined) {
    if (noneMatch.trim() !== '*') throw notImplemented('If-None-Match with an ETag on PUT');
    if (existing) throw preconditionFailed();
  }
  const match = headers['if-match'];
  if (match !== undefined) {
    if (!existing) throw noSuchKey();
    if (!matches(match, existing.etag)) throw preconditionFailed();
  }
}

/** Conditions of GET and HEAD in the order of RFC 9110 section 13.2.2; true means "answer 304". */
export function isNotModified(headers: IncomingHttpHeaders, object: StoredObject): boolean {
  const second = Math.floor(object.lastModifiedMs / 1000) * 1000;
  const match = headers['if-match'];
  const unmodifiedSince = Date.parse(headers['if-unmodified-since'] ?? '');
  if (match !== undefined ? !matches(match, object.etag) : second > unmodifiedSince) throw preconditionFailed();
  const noneMatch = headers['if-none-match'];
  if (noneMatch !== undefined) return matches(noneMatch, object.etag);
  return second <= Date.parse(headers['if-modified-since'] ?? '');
}

/** First and last byte of a single `Range: bytes=…`; undefined when there is none or it must be ignored. */
export function parseRange(header: string | undefined, size: number): { first: number; last: number } | undefined {
  const parts = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (!parts || (parts[1] === '' && parts[2] === '')) return undefined;
  const suffix = parts[1] === '';
  const first = suffix ? Math.max(0, size - Number(parts[2])) : Number(parts[1]);
  const last = suffix || parts[2] === '' ? size - 1 : Math.min(size - 1, Number(parts[2]));
  if (!suffix && parts[2] !== '' && Number(parts[2]) < first) return undefined;
  if (first >= size) throw new S3Error(416, 'InvalidRange', 'The requested range is not satisfiable.');
  return { first, last };
}

function matches(header: string, etag: string): boolean {
  const bare = etag.replaceAll('"', '');
  return header.split(',').some((candidate) => {
    const value = candidate.trim().replace(/^W\//, '').replaceAll('"', '');
    return value === '*' || value === bare;
  });
}
