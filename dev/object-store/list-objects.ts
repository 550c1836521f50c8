import type { ObjectFolder, StoredObject } from './object-folder.ts';
import { S3Error, notImplemented } from './s3-error.ts';
import { xmlDocument } from './xml.ts';
import type { XmlElement } from './xml.ts';

interface Page {
  contents: StoredObject[];
  commonPrefixes: string[];
  nextToken: string | undefined;
}

const PARAMETERS = new Set([
  'list-type',
  'prefix',
  'delimiter',
  'max-keys',
  'continuation-token',
  'start-after',
  'encoding-type',
  'fetch-owner',
  'x-id',
]);

/** ListObjectsV2: pages of at most 1,000 keys and common prefixes together. */
export function listObjects(folder: ObjectFolder, bucket: string, query: ReadonlyMap<string, string>): string {
  if (query.get('list-type') !== '2') throw notImplemented('this bucket operation');
  for (const name of query.keys()) if (!PARAMETERS.has(name)) throw notImplemented('this list parameter');
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const maxKeys = parseMaxKeys(query.get('max-keys'));
  const page = pageOf(folder.sorted(bucket), prefix, delimiter, maxKeys, startOf(query));
  const url = query.get('encoding-type') === 'url';
  const name = (key: string): string => (url ? encodeURIComponent(key).replaceAll('%2F', '/') : key);

  return xmlDocument([
    'ListBucketResult',
    [
      ['Name', bucket],
      ['Prefix', name(prefix)],
      ...optional('Delimiter', delimiter && name(delimiter)),
      ...optional('EncodingType', url ? 'url' : ''),
      ...optional('ContinuationToken', query.get('continuation-token') ?? ''),
      ...optional('StartAfter', name(query.get('start-after') ?? '')),
      ['MaxKeys', maxKeys],
      ['KeyCount', page.contents.length + page.commonPrefixes.length],
      ['IsTruncated', page.nextToken !== undefined],
      ...optional('NextContinuationToken', page.nextToken ?? ''),
      ...page.contents.map((object): XmlElement => ['Contents', contentOf(object, name)]),
      ...page.commonPrefixes.map((p): XmlElement => ['CommonPrefixes', [['Prefix', name(p)]]]),
    ],
  ]);
}

/** Everything after `start`; a common prefix counts as one and is passed as a whole. */
function pageOf(
  objects: readonly StoredObject[],
  prefix: string,
  delimiter: string,
  maxKeys: number,
  start: string,
): Page {
  const page: Page = { contents: [], commonPrefixes: [], nextToken: undefined };
  const startOrder = Buffer.from(start).toString('latin1');
  let last = start;
  let group = delimiter !== '' && start.endsWith(delimiter) ? start : undefined;
  for (const object of objects) {
    if (!object.key.startsWith(prefix) || Buffer.from(object.key).toString('latin1') <= startOrder) continue;
    if (group !== undefined && object.key.startsWith(group)) continue;
    if (page.contents.length + page.commonPrefixes.length === maxKeys) {
      if (maxKeys > 0) page.nextToken = Buffer.from(last).toString('base64url');
      break;
    }
    const end = delimiter === '' ? -1 : object.key.indexOf(delimiter, prefix.length);
    group = end < 0 ? undefined : object.key.slice(0, end + delimiter.length);
    if (group === undefined) page.contents.push(object);
    else page.commonPrefixes.push(group);
    last = group ?? object.key;
  }
  return page;
}

function contentOf(object: StoredObject, name: (key: string) => string): XmlElement[] {
  return [
    ['Key', name(object.key)],
    ['LastModified', new Date(object.lastModifiedMs).toISOString()],
    ['ETag', object.etag],
    ['Size', object.size],
    ['StorageClass', 'STANDARD'],
  ];
}

function startOf(query: ReadonlyMap<string, string>): string {
  const token = query.get('continuation-token');
  if (token === undefined) return query.get('start-after') ?? '';
  if (!/^[A-Za-z0-9_-]+$/.test(token)) throw invalidArgument('The continuation token provided is incorrect.');
  return Buffer.from(token, 'base64url').toString();
}

function parseMaxKeys(text: string | undefined): number {
  if (text === undefined) return 1000;
  if (!/^\d{1,9}$/.test(text)) throw invalidArgument('max-keys must be a whole number.');
  return Math.min(1000, Number(text));
}

function invalidArgument(message: string): S3Error {
  return new S3Error(400, 'InvalidArgument', message);
}

function optional(name: string, value: string): XmlElement[] {
  return value === '' ? [] : [[name, value]];
}
