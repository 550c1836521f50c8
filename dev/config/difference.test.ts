import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { buildConfiguration } from '../../svc/distribution/app-config/build.ts';
import {
  changedConfiguration,
  defaultConfiguration,
  placeholderDigest,
} from '../../svc/distribution/app-config/source.ts';
import { repositoryRoot } from '../mesh/child.ts';
import { differences, differenceText } from './difference.ts';
import { byObjectKey, readable } from './readable.ts';

const folder = mkdtempSync(join(tmpdir(), 'cwa-config-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const source = defaultConfiguration(placeholderDigest);
const decoded = (changes: unknown) =>
  readable(
    byObjectKey(buildConfiguration(changedConfiguration(source, changes), { supportedCountries: ['DE'] }), 'DE'),
    'DE',
  );

/** Beside no mesh and no store. */
function cwa(...args: string[]) {
  const env = { PATH: process.env['PATH'] ?? '', CWA_HOME: join(folder, 'home') };
  const { status, stdout, stderr } = spawnSync(process.execPath, ['dev/cwa.ts', 'config', ...args], {
    cwd: repositoryRoot,
    encoding: 'utf8',
    env,
  });
  return { status, stdout, stderr };
}

function file(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(content));
  return path;
}

test('a difference names file, field, value before and after; equal configurations have none', () => {
  expect(differences(decoded({}), decoded({}))).toEqual([]);
  const found = differences(decoded({}), decoded({ legacy: { minRiskScore: 12 }, appFeatures: [] }));
  expect(found).toContainEqual({
    file: 'version/v1/configuration/country/DE/app_config',
    field: 'minRiskScore',
    before: 11,
    after: 12,
  });
  expect(found).toContainEqual({
    file: 'version/v2/app_config_ios',
    field: 'appFeatures.appFeatures[0].label',
    before: 'unencrypted-checkins-enabled',
  });
  expect(found).toContainEqual(expect.objectContaining({ field: 'appFeatures.appFeatures', after: '[]' }));
  expect(differenceText(found)).toContain('version/v1/configuration/country/DE/app_config\n  minRiskScore: 11 → 12');
});

test('config preview: JSON of what would be published for v1 and v2, Android and iOS; a broken rule is status 1', {
  timeout: 120_000,
}, () => {
  const shown = JSON.parse(cwa('preview').stdout) as Record<string, Record<string, unknown>>;
  expect(Object.keys(shown)).toEqual([
    'version/v1/configuration/country/DE/app_config',
    'version/v1/app_config_android',
    'version/v1/app_config_ios',
    'version/v2/app_config_android',
    'version/v2/app_config_ios',
  ]);
  expect(shown['version/v2/app_config_android']).toMatchObject({
    riskCalculationParameters: { maxEncounterAgeInDays: 10 },
  });
  const broken = cwa('preview', file('broken.json', { legacy: { minRiskScore: -1 } }));
  expect(broken).toEqual({
    status: 1,
    stdout: '',
    stderr: 'cwa: legacy.minRiskScore = -1 breaks VALUE_OUT_OF_BOUNDS\n',
  });
  const absent = join(folder, 'none.json');
  expect(cwa('preview', absent)).toMatchObject({ status: 2, stderr: `cwa: ${absent} cannot be read (ENOENT)\n` });
  expect(cwa('diff', '--default', '--version', '1')).toMatchObject({ status: 2, stdout: '' });
});

test('config diff: without anything published it compares with the defaults and says so', { timeout: 120_000 }, () => {
  expect(cwa('diff')).toMatchObject({ status: 0, stdout: 'compared with the published defaults\nno difference\n' });
  const changed = cwa(
    'diff',
    file('changed.json', { exposureDetection: { ios: { maxExposureDetectionsPerInterval: 4 } } }),
    '--json',
  );
  expect(changed.status).toBe(1);
  expect(JSON.parse(changed.stdout)).toMatchObject({
    comparedWith: 'the published defaults',
    differences: [
      { file: 'version/v1/app_config_ios', before: 6, after: 4 },
      { file: 'version/v1/configuration/country/DE/app_config', before: 6, after: 4 },
      { file: 'version/v2/app_config_ios', before: 6, after: 4 },
    ],
  });
});

test('config history and rollback say what they need', { timeout: 120_000 }, () => {
  for (const args of [['history'], ['rollback', '1']]) {
    expect(cwa(...args)).toMatchObject({ status: 2, stderr: expect.stringContaining('start it with npm start') });
  }
  expect(cwa('rollback', 'one').status).toBe(2);
});
