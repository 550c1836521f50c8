import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { Secret } from '../../../lib/process/secret.ts';
import { allowedFields } from '../../../lib/telemetry/security-feed/record.ts';
import type { SecurityEvent } from '../../../lib/telemetry/security.ts';
import { changedConfiguration } from '../app-config/source.ts';
import type { Deps } from '../deps.ts';
import { world } from '../fixtures/world.ts';
import { pemSigner, type Signer } from '../signer.ts';
import { requestRollback } from '../store/configuration.ts';
import { runDistribution } from './run.ts';

const anotherSigner = (keyVersion: string): Signer =>
  pemSigner(
    new Secret(
      generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey.export({ type: 'sec1', format: 'pem' }),
    ),
    { keyId: '262', keyVersion, appBundleId: 'de.rki.coronawarnapp-dev' },
  );

async function watched() {
  const events: SecurityEvent[] = [];
  const w = await world({ security: { report: (event) => void events.push(event) } });
  /** A run of a process that was started with these; what it reported. */
  const run = async (changes: Partial<Deps> = {}) => {
    events.length = 0;
    w.clock.advance(60_000);
    await runDistribution({ ...w.deps, ...changes });
    // The feed takes every field as it is.
    for (const { type, ...fields } of events)
      expect(allowedFields({ type, ...fields } as SecurityEvent)).toEqual(fields);
    return [...events];
  };
  const [signer] = w.deps.signers as [Signer];
  return { ...w, run, signer, events };
}

const changed = (what: string, version: string) => ({ type: 'configuration-changed', what, version });

test('keys that sign are reported when they change, by name, and never for a restart', async () => {
  const { run, signer } = await watched();
  const next = anotherSigner('v2');
  expect(await run()).toContainEqual(changed('signing-keys', '262-v1'));
  expect(await run()).toEqual([]);
  expect(await run({ signers: [next, signer] })).toEqual([changed('signing-keys', '262-v2 262-v1')]);
  expect(await run({ signers: [next, signer] })).toEqual([]);
  expect(await run({ signers: [next] })).toEqual([changed('signing-keys', '262-v2')]);
  // The same names with another key: what a thief of the setting would do.
  const stranger = anotherSigner('v2');
  expect(await run({ signers: [stranger] })).toEqual([changed('signing-keys', '262-v2')]);
  expect(stranger.name).not.toBe(next.name);
});

test('a configuration that is published or rolled back is reported with its version, once', async () => {
  const { run, deps, database } = await watched();
  const others = {
    configuration: changedConfiguration(deps.configuration, { riskCalculation: { v2: { maxEncounterAgeInDays: 14 } } }),
  };
  expect(await run()).toContainEqual(changed('app-configuration', '1'));
  expect(await run(others)).toEqual([changed('app-configuration', '2')]);
  expect(await run(others)).toEqual([]);
  await requestRollback(database.pool, 1);
  expect(await run(others)).toEqual([changed('app-configuration-rollback', '3')]);
  expect(await run(others)).toEqual([]);
  // Configured as it was brought back: the rollback ends, and nothing that phones have changes.
  expect(await run()).toEqual([]);
});

test('a run that dies after it reported makes the next one report again: at least once', async () => {
  const { run, deps, signer } = await watched();
  await run();
  const next = anotherSigner('v2');
  const { pool } = deps;
  const dying: Deps['pool'] = {
    ...pool,
    withConnection: (use, options) =>
      pool.withConnection(
        (session, discard) =>
          use(
            {
              query: (text, values) =>
                text.includes('insert into reported_change')
                  ? Promise.reject(new Error('died'))
                  : session.query(text, values),
            },
            discard,
          ),
        options,
      ),
  };
  await expect(run({ signers: [next, signer], pool: dying })).rejects.toThrow('died');
  expect(await run({ signers: [next, signer] })).toEqual([changed('signing-keys', '262-v2 262-v1')]);
});
