import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { search } from './search.ts';
import { octetSecret, textSecret } from './secret.ts';

const uuid = '5d4d1a52-8b6c-4c1e-9f6d-3a1f0d2b7c11';
const key = Buffer.from('00f1e2d3c4b5a697887968fa4b3c2d1e', 'hex');
const seen = (text: string | Buffer) =>
  search([textSecret('token', uuid), octetSecret('key', key)], [{ place: 'x', octets: Buffer.from(text) }]).map(
    ({ kind }) => kind,
  );

test.each<[string, string | Buffer]>([
  ['as it is', `token ${uuid}.`],
  ['in capitals', uuid.toUpperCase()],
  ['without dashes', uuid.replaceAll('-', '')],
  ['its beginning', `token ${uuid.slice(0, 13)}…`],
  ['as the octets of a uuid column', Buffer.from(uuid.replaceAll('-', ''), 'hex')],
  ['in base64 behind one octet', Buffer.from(`x${uuid}y`).toString('base64')],
  ['in base64 behind two', Buffer.from(`xy${uuid}z`).toString('base64')],
])('a token is found: %s', (_, text) => expect([...new Set(seen(text))]).toEqual(['token']));

test.each<[string, string | Buffer]>([
  ['as it is', Buffer.concat([Buffer.from('x'), key])],
  ['in hex', key.toString('hex')],
  ['the first half in hex', `key ${key.toString('hex').slice(0, 16)}…`],
  ['a Buffer in JSON', JSON.stringify({ key })],
  ['a Uint8Array in JSON', JSON.stringify({ key: new Uint8Array(key) })],
  ['a Buffer as the console prints it', inspect(key)],
  ['in base64', key.toString('base64')],
  ['in the base64 of a message that goes on', Buffer.concat([key, Buffer.from([255])]).toString('base64')],
  ['in the base64 of a message', Buffer.concat([Buffer.from('ab'), key, Buffer.from('c')]).toString('base64')],
  ['in the base64url of a message', Buffer.concat([Buffer.from('a'), key]).toString('base64url')],
])('a key is found: %s', (_, text) => expect([...new Set(seen(text))]).toEqual(['key']));

test('nothing is found in what is another value', () => {
  expect(seen('5d4d1a52-0000-4c1e-9f6d-3a1f0d2b7c11 00f1e2d300000000887968fa4b3c2d1e')).toEqual([]);
});
