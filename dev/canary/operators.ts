import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import {
  buildClientSchema,
  getIntrospectionQuery,
  type GraphQLField,
  type GraphQLOutputType,
  getNamedType,
  isObjectType,
  isRequiredArgument,
} from 'graphql';
import { readOperations } from '../../ops-api/persisted-operations.ts';
import { teams } from '../../ops-api/teams.ts';
import type { Mesh } from '../mesh/mesh.ts';
import type { Holding } from './search.ts';
import { type Secret, textSecret } from './secret.ts';

const wrong = [
  'canary_field_91',
  'canary-variable-92',
  'canary-bearer-93',
  'canary-hash-94',
  'canary-path-95',
] as const;
const [field, variable, bearer, hash, path] = wrong;
export const operatorSecrets: readonly Secret[] = wrong.map((text) => textSecret("operator's text", text));

/** Every team asks everything it may ask, all named queries, and what is refused, with canaries wherever text can be. */
export async function askAsOperators(mesh: Mesh): Promise<Holding[]> {
  const answers: Holding[] = [];
  for (const team of teams) {
    const ask = operator(mesh, team);
    const keep = async (place: string, asked: Promise<Buffer>) => void answers.push({ place, octets: await asked });
    const query = (text: string, more: object = {}) =>
      ask('POST', '/graphql', JSON.stringify({ query: text, ...more }));
    const schema = await query(getIntrospectionQuery());
    if (!schema.includes('"__schema"')) throw new Error(`${team} may not see the schema: ${schema.toString()}`);
    const everything = allFields(JSON.parse(bodyOf(schema)));
    for (const [name, text] of everything) await keep(`graphql ${team} ${name}`, query(text));
    for (const { name, text } of readOperations()) await keep(`graphql ${team} operation ${name}`, query(text));
    const refused = `graphql ${team} refused`;
    await keep(refused, query(`{ ${field} me(${field}: "${field}") { team } }`));
    await keep(
      refused,
      query('query Q($range: RangeInput) { me { team } }', { variables: { range: { from: variable } } }),
    );
    await keep(refused, ask('POST', '/graphql', `{"query": "${field}`));
    const extensions = { persistedQuery: { version: 1, sha256Hash: hash } };
    await keep(refused, ask('POST', '/graphql', JSON.stringify({ extensions })));
    await keep(refused, ask('GET', `/${path}?q=${path}`));
    await keep(refused, ask('POST', '/graphql', '{"query":"{ me { team } }"}', { authorization: `Bearer ${bearer}` }));
    await keep(`page ${team}`, ask('GET', '/'));
  }
  return answers;
}

/** One query for each field of `Query`, with everything below it. */
function allFields({ data }: { data: Parameters<typeof buildClientSchema>[0] }): [name: string, query: string][] {
  const fields = Object.values(buildClientSchema(data).getQueryType()?.getFields() ?? {});
  return fields.map((root) => [root.name, `{ ${selection(root, [])} }`]);
}

function selection({ name, type, args }: GraphQLField<unknown, unknown>, above: readonly GraphQLOutputType[]): string {
  const named = getNamedType(type);
  if (args.some(isRequiredArgument) || above.includes(named)) return '__typename';
  if (!isObjectType(named)) return name;
  const inner = Object.values(named.getFields()).map((child) => selection(child, [...above, named]));
  return `${name} { ${[...new Set(inner)].join(' ')} }`;
}

/** A request with the certificate of a team; answers its head and body as they came. */
function operator(mesh: Mesh, team: string) {
  const pem = (name: string): Buffer => readFileSync(join(mesh.home, 'pki', name));
  const name = `operator-${team.replace(/^ops-/, '')}`;
  const tls = { ca: pem('ca.crt'), cert: pem(`${name}.crt`), key: pem(`${name}.key`), servername: 'localhost' };
  return (method: string, path: string, body?: string, headers: Record<string, string> = {}): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      const sent = request(
        {
          host: '127.0.0.1',
          port: mesh.ports.OPS_API_OPERATOR_PORT,
          path,
          method,
          agent: false,
          ...tls,
          headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
        },
        async (response) => {
          const head = `${response.statusCode} ${JSON.stringify(response.rawHeaders)}\r\n\r\n`;
          resolve(Buffer.concat([Buffer.from(head), ...(await Array.fromAsync(response))] as Buffer[]));
        },
      );
      sent.once('error', reject);
      sent.end(body);
    });
}

const bodyOf = (answer: Buffer): string => answer.subarray(answer.indexOf('\r\n\r\n') + 4).toString();
