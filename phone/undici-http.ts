import { Pool } from 'undici';
import type { Http } from './http.ts';

/** Connect, headers and body each, as the shipped app (S 5.3). */
const TIMEOUT_MS = 20_000;

/**
 * `Http` over real sockets: HTTP/1.1 with kept connections.
 * @param origin e.g. `https://localhost:8443`
 * @param options.ca PEM of the authority that signed the server's certificate
 */
export function undiciHttp(
  origin: string,
  options: { ca?: string | Buffer; cert?: string; key?: string; connections?: number } = {},
): Http & { close(): Promise<void> } {
  const { ca, cert, key, connections = 4 } = options;
  const tls = {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
  const pool = new Pool(origin, {
    connections,
    pipelining: 1,
    allowH2: false,
    connect: { ...tls, timeout: TIMEOUT_MS },
    headersTimeout: TIMEOUT_MS,
    bodyTimeout: TIMEOUT_MS,
  });
  const http: Http = async ({ method, path, headers, body }) => {
    const response = await pool.request({ method, path, headers, ...(body === undefined ? {} : { body }) });
    const names = Object.entries(response.headers).map(
      ([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')] as const,
    );
    return {
      status: response.statusCode,
      headers: Object.fromEntries(names),
      body: Buffer.from(await response.body.arrayBuffer()),
    };
  };
  return Object.assign(http, { close: () => pool.close() });
}
