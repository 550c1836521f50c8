import fc from 'fast-check';
import type { WireRequest } from '../wire/exchange.ts';
import { strangeText } from './hostile.ts';
import { marker } from './target.ts';

/** Credentials that the mesh knows, so that some inputs get past the first check. */
export interface Known {
  readonly tokens: readonly string[];
  readonly tans: readonly string[];
  readonly uploads: readonly Uint8Array[];
  /** Objects that exist in the store. */
  readonly objects: readonly string[];
}

export interface Route {
  readonly path: string;
  readonly types: readonly string[];
  readonly bodies: fc.Arbitrary<Uint8Array>;
}

export const strangeTypes = [
  '',
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/JSON;;',
  ';',
  marker,
];
const methods = ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'PROPFIND', 'M-SEARCH', 'QUERY'];

/** Requests to any of the routes: mostly as they should be, each part now and then as it should not. */
export function requests(routes: readonly Route[], known: Known, verb: string): fc.Arbitrary<WireRequest> {
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
