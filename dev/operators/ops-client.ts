import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { readOperations, sha256Of } from '../../ops-api/persisted-operations.ts';

export interface OpsAnswer {
  readonly status: number;
  /** The mesh's time. */
  readonly date: string;
  // oxlint-disable-next-line no-explicit-any
  readonly data?: any;
  readonly errors?: readonly {
    readonly message: string;
    readonly path?: readonly (string | number)[];
    readonly extensions?: { readonly code?: string };
  }[];
  readonly text: string;
}

/** What an operator does, with the certificate of a home or a token. */
export interface OpsClient {
  /** A stored query by its name, sent as the hash of its text. */
  stored(name: string, variables?: object): Promise<OpsAnswer>;
  query(text: string, variables?: object): Promise<OpsAnswer>;
  get(path: string, headers?: Record<string, string>): Promise<OpsAnswer>;
  close(): Promise<void>;
}

export interface OpsClientOptions {
  readonly port: number;
  readonly ca: string;
  readonly cert?: string;
  readonly key?: string;
  readonly token?: string;
}

export function openOpsClient({ port, ca, cert, key, token }: OpsClientOptions): OpsClient {
  const identity = cert === undefined || key === undefined ? {} : { cert, key };
  const dispatcher = new Agent({ connect: { ca, ...identity, servername: 'localhost' } });
  const origin = `https://127.0.0.1:${port}`;
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const send = async (
    path: string,
    init: { method: 'GET' | 'POST'; headers?: Record<string, string>; body?: string },
  ) => {
    const {
      statusCode: status,
      headers,
      body,
    } = await request(`${origin}${path}`, {
      ...init,
      headers: { ...authorization, ...init.headers },
      dispatcher,
    });
    const text = await body.text();
    const json = text.startsWith('{') ? (JSON.parse(text) as Partial<OpsAnswer>) : {};
    return { status, date: String(headers['date']), text, ...json };
  };
  const post = (content: object) =>
    send('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(content),
    });
  return {
    stored(name, variables = {}) {
      const text = readOperations().find((operation) => operation.name === name)?.text;
      if (text === undefined) throw new Error(`${name}: no query of this name; see ops-api/operations`);
      return post({ extensions: { persistedQuery: { version: 1, sha256Hash: sha256Of(text) } }, variables });
    },
    query: (query, variables = {}) => post({ query, variables }),
    get: (path, headers = {}) => send(path, { method: 'GET', headers }),
    close: () => dispatcher.close(),
  };
}

/** The client with a certificate of a home's `pki`; without a name, with none. */
export function opsClientOf(home: string, port: number, certificate?: string): OpsClient {
  const file = (name: string): string => readFileSync(join(home, 'pki', name), 'utf8');
  const identity = certificate ? { cert: file(`${certificate}.crt`), key: file(`${certificate}.key`) } : {};
  return openOpsClient({ port, ca: file('ca.crt'), ...identity });
}
