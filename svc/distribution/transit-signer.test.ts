import { createHash, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { verifySignature } from '../../lib/exposure/signature.ts';
import type { ConfigError } from '../../lib/process/config.ts';
import { foreignSignature, transitServer, type TransitServer, type Trouble } from './fixtures/transit-server.ts';
import { openPackage, packageKey } from './fixtures/read-store.ts';
import { world } from './fixtures/world.ts';
import { runDistribution } from './jobs/run.ts';
import { proveSigners, SigningError } from './signer.ts';
import { readSigners } from './signing-config.ts';
import { type TransitOptions, transitSigner } from './transit-signer.ts';

const bin = Buffer.from('EK Export v1    and what follows');
const names = { keyId: '262', keyVersion: 'v2', appBundleId: 'de.rki.coronawarnapp-dev' };

async function setUp(given: Partial<TransitOptions> = {}) {
  const server = await transitServer();
  const folder = mkdtempSync(join(tmpdir(), 'transit-'));
  onTestFinished(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });
  const tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, `${server.token}\n`);
  const options: TransitOptions = {
    prefix: 'DISTRIBUTION_SIGNING_TRANSIT',
    sharedPrefix: 'DISTRIBUTION_SIGNING_TRANSIT',
    address: server.address,
    mount: 'transit',
    key: 'export-signing',
    keyVersion: 1,
    tokenFile,
    publicKey: server.publicKeys[0] as KeyObject,
    timeoutMs: 1_000,
    pausesMs: [1, 1],
    ...given,
  };
  return { server, folder, tokenFile, options, signer: transitSigner(options, names) };
}

const reply =
  (status: number, body: string, headers: Record<string, string> = {}): Trouble =>
  (_request, response: ServerResponse) =>
    void response.writeHead(status, headers).end(body);
const hangUp: Trouble = (_request, response) => void response.destroy();
const silence: Trouble = () => {};
const signed = (signature: unknown) => reply(200, JSON.stringify({ data: { signature } }));

async function faultOf(work: Promise<unknown>, server: TransitServer): Promise<SigningError> {
  const error = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(error instanceof SigningError)) throw new Error('it signed, or failed otherwise', { cause: error });
  expect(`${error.stack} ${JSON.stringify(error)}`).not.toContain(server.token);
  return error;
}

test('transit: the request has the form of the API, the answer is a DER signature over the whole file', async () => {
  const { server, signer } = await setUp({ namespace: 'health/cwa' });
  const signature = await signer.sign(bin);
  expect(verifySignature(server.publicKeys[0] as KeyObject, bin, signature)).toBe(true);
  expect(server.requests).toEqual([
    {
      method: 'POST',
      path: '/v1/transit/sign/export-signing/sha2-256',
      headers: expect.objectContaining({
        'content-type': 'application/json',
        'x-vault-token': server.token,
        'x-vault-namespace': 'health/cwa',
      }),
      body: {
        input: createHash('sha256').update(bin).digest('base64'),
        prehashed: true,
        marshaling_algorithm: 'asn1',
        key_version: 1,
      },
    },
  ]);
  expect(signer.info).toMatchObject({ verificationKeyId: '262', verificationKeyVersion: 'v2' });
  expect(signer.name).toMatch(/^262-v2-[0-9a-f]{16}$/);
});

test('transit: what may pass is tried again: 5xx, limits, standbys, a broken connection, silence', async () => {
  const { server, signer } = await setUp({ timeoutMs: 2_000 });
  for (const trouble of [
    reply(500, ''),
    reply(503, 'sealed'),
    reply(429, ''),
    reply(412, ''),
    reply(473, ''),
    hangUp,
    silence,
  ]) {
    server.requests.length = 0;
    server.troubles.push(trouble);
    await signer.sign(bin);
    expect(server.requests).toHaveLength(2);
  }
});

test('transit: what lasts ends after the last attempt and names the setting, never the token', async () => {
  const { server, signer } = await setUp({ timeoutMs: 1_000 });
  const cases: [Trouble, string][] = [
    [reply(503, '{"errors":["sealed"]}'), 'UNAVAILABLE'],
    [silence, 'TIMEOUT'],
    [hangUp, 'UNREACHABLE'],
  ];
  for (const [trouble, reason] of cases) {
    server.requests.length = 0;
    server.troubles.push(trouble, trouble, trouble);
    const fault = await faultOf(signer.sign(bin), server);
    expect(fault).toMatchObject({ reason, setting: 'DISTRIBUTION_SIGNING_TRANSIT_ADDRESS' });
    expect(server.requests).toHaveLength(3);
  }
  await server.close();
  expect(await faultOf(signer.sign(bin), server)).toMatchObject({ reason: 'UNREACHABLE' });
});

test('transit: a revoked token is told at once; a renewed one in the same file is taken', async () => {
  const { server, signer, tokenFile } = await setUp();
  server.token = 'hvs.renewed-canary';
  expect(await faultOf(signer.sign(bin), server)).toMatchObject({
    reason: 'TOKEN_REFUSED',
    message: 'DISTRIBUTION_SIGNING_TRANSIT_TOKEN_FILE: its token may not sign with this key (403)',
  });
  expect(server.requests).toHaveLength(1);
  writeFileSync(tokenFile, server.token);
  await signer.sign(bin);
  for (const text of ['', 'two\nlines']) {
    writeFileSync(tokenFile, text);
    expect(await faultOf(signer.sign(bin), server)).toMatchObject({ reason: 'TOKEN_UNREADABLE' });
  }
  rmSync(tokenFile);
  expect((await faultOf(signer.sign(bin), server)).message).toBe(
    'DISTRIBUTION_SIGNING_TRANSIT_TOKEN_FILE: the file it names cannot be read (ENOENT)',
  );
});

test('transit: a wrong key, version or mount is told by its setting, and no wrong signature comes out', async () => {
  const { server, options } = await setUp();
  const other = server.publicKeys[1] as KeyObject;
  const cases: [Partial<TransitOptions>, string, string][] = [
    [{ publicKey: other }, 'WRONG_KEY', 'PUBLIC_KEY_FILE'],
    [{ keyVersion: 2 }, 'WRONG_KEY', 'PUBLIC_KEY_FILE'],
    [{ keyVersion: 3 }, 'KEY_REFUSED', 'KEY_VERSION'],
    [{ key: 'unknown' }, 'KEY_REFUSED', 'KEY_VERSION'],
    [{ mount: 'elsewhere' }, 'KEY_NOT_FOUND', 'KEY'],
  ];
  for (const [given, reason, setting] of cases) {
    const fault = await faultOf(transitSigner({ ...options, ...given }, names).sign(bin), server);
    expect(fault).toMatchObject({ reason, setting: `DISTRIBUTION_SIGNING_TRANSIT_${setting}` });
  }
  const second = transitSigner({ ...options, keyVersion: 2, publicKey: other }, names);
  expect(verifySignature(other, bin, await second.sign(bin))).toBe(true);
});

test('transit: garbage is never taken for a signature, and a redirect is not followed', async () => {
  const { server, signer } = await setUp();
  const garbage: [Trouble, string][] = [
    [reply(200, '<html>'), 'ANSWER_UNREADABLE'],
    [reply(200, 'null'), 'ANSWER_UNREADABLE'],
    [reply(200, '{}'), 'ANSWER_UNREADABLE'],
    [signed(7), 'ANSWER_UNREADABLE'],
    [signed('vault:v1:'), 'ANSWER_UNREADABLE'],
    [signed('vault:v1:not base64'), 'ANSWER_UNREADABLE'],
    [signed('vault:v2:AAAA'), 'WRONG_KEY'],
    [signed('vault:v1:AAAA'), 'WRONG_KEY'],
    [signed(foreignSignature()), 'WRONG_KEY'],
    [reply(200, 'x'.repeat(200_000)), 'ANSWER_UNREADABLE'],
    [reply(307, '', { location: server.address }), 'REDIRECTED'],
  ];
  for (const [trouble, reason] of garbage) {
    server.requests.length = 0;
    server.troubles.push(trouble);
    expect(await faultOf(signer.sign(bin), server)).toMatchObject({ reason });
    expect(server.requests).toHaveLength(1);
  }
});

test('start-up: the signature must verify under the configured public key; every fault is named by its setting', async () => {
  const { server, folder, tokenFile } = await setUp();
  const pem = (index: number) => server.publicKeys[index]?.export({ type: 'spki', format: 'pem' }) as string;
  writeFileSync(join(folder, 'v1.pem'), pem(0));
  writeFileSync(join(folder, 'v2.pem'), pem(1));
  const env = {
    DISTRIBUTION_SIGNING_KEY_VERSION: 'v2',
    DISTRIBUTION_SIGNING_TRANSIT_ADDRESS: server.address,
    DISTRIBUTION_SIGNING_TRANSIT_TOKEN_FILE: tokenFile,
    DISTRIBUTION_SIGNING_TRANSIT_KEY: 'export-signing',
    DISTRIBUTION_SIGNING_TRANSIT_KEY_VERSION: '2',
    DISTRIBUTION_SIGNING_TRANSIT_PUBLIC_KEY_FILE: join(folder, 'v2.pem'),
    DISTRIBUTION_PREVIOUS_SIGNING_KEY_VERSION: 'v1',
    DISTRIBUTION_PREVIOUS_SIGNING_TRANSIT_KEY: 'export-signing',
    DISTRIBUTION_PREVIOUS_SIGNING_TRANSIT_PUBLIC_KEY_FILE: join(folder, 'v1.pem'),
  };
  const signers = readSigners(env);
  await proveSigners(signers);
  expect(signers.map(({ info }) => info.verificationKeyVersion)).toEqual(['v2', 'v1']);

  const wrong = { ...env, DISTRIBUTION_PREVIOUS_SIGNING_TRANSIT_PUBLIC_KEY_FILE: join(folder, 'v2.pem') };
  await expect(proveSigners(readSigners(wrong))).rejects.toMatchObject({
    faults: ['DISTRIBUTION_PREVIOUS_SIGNING_TRANSIT_PUBLIC_KEY_FILE: does not verify what the transit key signs'],
  });
  const faulty: [Record<string, string>, string][] = [
    [{ DISTRIBUTION_SIGNING_TRANSIT_ADDRESS: 'ftp://x' }, 'DISTRIBUTION_SIGNING_TRANSIT_ADDRESS: must be'],
    [{ DISTRIBUTION_SIGNING_TRANSIT_ADDRESS: '' }, 'DISTRIBUTION_SIGNING_TRANSIT_ADDRESS is not set'],
    [{ DISTRIBUTION_SIGNING_TRANSIT_TOKEN_FILE: '' }, 'DISTRIBUTION_SIGNING_TRANSIT_TOKEN_FILE is not set'],
    [{ DISTRIBUTION_SIGNING_TRANSIT_KEY: '../x' }, 'DISTRIBUTION_SIGNING_TRANSIT_KEY: must be'],
    [{ DISTRIBUTION_SIGNING_TRANSIT_KEY: '' }, 'DISTRIBUTION_SIGNING_KEY_FILE is not set: it or'],
    [{ DISTRIBUTION_SIGNING_KEY_FILE: tokenFile }, 'DISTRIBUTION_SIGNING_KEY_FILE must not be set together with'],
    [
      { DISTRIBUTION_SIGNING_TRANSIT_PUBLIC_KEY_FILE: tokenFile },
      'DISTRIBUTION_SIGNING_TRANSIT_PUBLIC_KEY_FILE: the file it names holds no',
    ],
    [{ DISTRIBUTION_PREVIOUS_SIGNING_KEY_VERSION: 'v2' }, 'DISTRIBUTION_PREVIOUS_SIGNING_KEY_VERSION: must'],
  ];
  for (const [given, start] of faulty) {
    let faults: readonly string[] = [];
    try {
      readSigners({ ...env, ...given });
    } catch (error) {
      faults = (error as ConfigError).faults;
    }
    expect(faults[0]?.startsWith(start), `${start}, not ${faults[0] ?? 'none'}`).toBe(true);
    expect(faults.join()).not.toContain(server.token);
  }
});

test('a run with the key in transit: packages verify; while it is down nothing is torn and the next run heals', async () => {
  const { server, signer } = await setUp({ pausesMs: [] });
  const w = await world();
  const deps = { ...w.deps, signers: [signer] };
  expect(await runDistribution(deps)).toMatchObject({ failures: 0 });
  w.submit(150);
  w.clock.set('2020-09-13T11:05:00Z');
  server.token = 'hvs.revoked';
  expect(await runDistribution(deps)).toMatchObject({ keysAssigned: 150, failures: 1 });
  expect(w.store.objects().has(packageKey('DE', '2020-09-13', 10))).toBe(false);
  expect(w.log.lines).toContainEqual(
    expect.objectContaining({ event: 'signing-failed', setting: 'DISTRIBUTION_SIGNING_TRANSIT_TOKEN_FILE' }),
  );
  server.token = 'hvs.canary-token';
  expect(await runDistribution(deps)).toMatchObject({ failures: 0 });
  const file = await openPackage(w.store, packageKey('DE', '2020-09-13', 10));
  expect(file.keys).toHaveLength(150);
  const [entry] = file.signatures;
  expect(verifySignature(server.publicKeys[0] as KeyObject, file.bin, entry?.signature ?? Buffer.alloc(0))).toBe(true);
});
