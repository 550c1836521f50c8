import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { readConfig as gatewayConfig } from '../../gateway/config.ts';
import { watchPartners } from '../../gateway/partners.ts';
import { ConfigError, type Env } from '../../lib/process/config.ts';
import { silentLog } from '../../lib/telemetry/log.ts';
import { checkVectorFile } from '../../phone/vector-check.ts';
import { VectorFileError } from '../../phone/vector-check/vector-case.ts';
import { readConfig as distributionConfig } from '../../svc/distribution/config.ts';
import { readConfig as submissionConfig } from '../../svc/submission/config.ts';
import { readConfig as testResultConfig } from '../../svc/test-result/config.ts';
import { readConfig as verificationConfig } from '../../svc/verification/config.ts';
import { hostileText, strangeJson, strangeText } from './hostile.ts';
import { decoderTarget, refusedBy, type Target } from './target.ts';

/** Readers of what operators write: settings and files. A wrong one ends with a sentence, never with a stack. */
export function fileTargets(): { targets: Target[]; close(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'cwa-fuzz-'));
  const file = (name: string, text: string) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const targets = [
    decoderTarget('settings', 2, fc.tuple(fc.constantFrom(...readers), settings), ([read, env]) =>
      refusedBy([ConfigError], () => read(env)),
    ),
    decoderTarget('partners file', 1, fc.oneof(hostileText(partnerFiles), json(partner)), (text) =>
      refusedBy([ConfigError], () => watchPartners(file('partners.json', text), silentLog).close()),
    ),
    decoderTarget('vector file', 1, fc.oneof(hostileText(vectorFiles), json(vector)), (text) =>
      refusedBy([VectorFileError], () => checkVectorFile(file('vectors.json', text))),
    ),
  ];
  return { targets, close: () => rmSync(folder, { recursive: true, force: true }) };
}

const json = (value: fc.Arbitrary<unknown>): fc.Arbitrary<string> => value.map((found) => JSON.stringify(found));

const partner = fc.oneof(
  strangeJson,
  fc.array(
    fc.record(
      {
        name: strangeJson,
        fingerprint: fc.oneof(strangeJson, fc.constant('a'.repeat(64))),
        labIds: strangeJson,
        routes: strangeJson,
      },
      { requiredKeys: [] },
    ),
    { maxLength: 3 },
  ),
);
const partnerFiles = [
  JSON.stringify([
    { name: 'lab', fingerprint: 'AB:'.repeat(31) + 'AB', labIds: ['*', 'x'], routes: ['lab', 'quicktest', '*'] },
  ]),
];

const vector = fc.dictionary(
  fc.constantFrom(
    'advertised',
    'observations',
    'cases',
    'rpis',
    'signatures',
    'scenarios',
    'testCases',
    'defaultRiskCalculationConfiguration',
    'config',
    '__proto__',
  ),
  fc.oneof(
    strangeJson,
    fc.array(fc.dictionary(fc.string({ maxLength: 8 }), strangeJson, { maxKeys: 4 }), { maxLength: 3 }),
  ),
  { maxKeys: 4 },
);
const vectorFiles = [
  JSON.stringify({
    rpis: [{ tek: 'a'.repeat(32), interval: 1, rpi: 'b'.repeat(32) }],
    signatures: [{ key: 'x', bin: '', sig: '' }],
  }),
  JSON.stringify({
    testCases: [
      { description: 'x', exposureWindows: [{ ageInDays: 1, reportType: 1, infectiousness: 1, scanInstances: [] }] },
    ],
  }),
  '['.repeat(20_000),
  `{"cases":${'['.repeat(20_000)}${']'.repeat(20_000)}}`,
  `{"scenarios":[${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}]}`,
  '{"a":'.repeat(20_000),
];

const numbers = [
  'MAX_NUMBER_OF_KEYS',
  'GATEWAY_ANSWER_FLOOR_MS',
  'GATEWAY_SLOW_MS',
  'GATEWAY_PHONE_PORT',
  'DAYS_TO_PUBLISH',
  'RETENTION_DAYS',
  'VERIFICATION_MAX_REDEEMED_TANS',
  'SUBMISSION_SWEEP_INTERVAL_SECONDS',
];
const texts = [
  'SUBMISSION_ADDRESS',
  'VERIFICATION_ADDRESS',
  'TEST_RESULT_ADDRESS',
  'S3_ENDPOINT',
  'S3_BUCKET',
  'S3_ACCESS_KEY_ID',
  'S3_SECRET_ACCESS_KEY',
  'SUPPORTED_COUNTRIES',
  'ORIGIN_COUNTRY',
  'SUBMISSION_DATABASE_URL',
  'VERIFICATION_DATABASE_URL',
  'DISTRIBUTION_DATABASE_URL',
  'TEST_RESULT_DATABASE_URL',
];
const paths = [
  'GATEWAY_TLS_CERT_FILE',
  'GATEWAY_PARTNERS_FILE',
  'VERIFICATION_TELE_TAN_PEPPER_FILE',
  'DISTRIBUTION_SIGNING_KEY_FILE',
  'DISTRIBUTION_APP_CONFIGURATION_FILE',
  'SUBMISSION_DATABASE_PASSWORD_FILE',
  'SUBMISSION_DATABASE_CA_FILE',
];
const urls = [
  'postgres://a:b@c/d',
  'postgresql://[::1]:5/x?host=/tmp',
  'postgres://%00@%zz/%',
  'host:1',
  'http://x',
  'DE,FR',
  'DE',
];

const readers = [gatewayConfig, submissionConfig, verificationConfig, testResultConfig, distributionConfig];

/** What each process needs to start, as far as it can be without files of its own. */
const complete: Env = {
  ...Object.fromEntries(texts.map((name) => [name, name.endsWith('_URL') ? 'postgres://a@b/c' : 'host:1'])),
  ...Object.fromEntries(
    ['GATEWAY', 'SUBMISSION', 'VERIFICATION', 'TEST_RESULT', 'DISTRIBUTION'].flatMap((prefix) =>
      ['CERT', 'KEY', 'CA'].map((kind) => [`${prefix}_TLS_${kind}_FILE`, '/dev/null']),
    ),
  ),
  GATEWAY_PARTNERS_FILE: '/dev/null',
  S3_ENDPOINT: 'http://127.0.0.1:1',
  SUPPORTED_COUNTRIES: 'DE,FR',
  ORIGIN_COUNTRY: 'DE',
};

const settings: fc.Arbitrary<Env> = fc
  .array(
    fc.oneof(
      fc.tuple(fc.constantFrom(...numbers), fc.oneof(fc.integer().map(String), strangeText)),
      fc.tuple(fc.constantFrom(...texts), fc.oneof(hostileText(urls), strangeText)),
      fc.tuple(
        fc.constantFrom(...paths),
        fc.oneof(fc.constantFrom('/dev/null', '/', '/nowhere', '\u0000'), strangeText),
      ),
    ),
    { maxLength: 12 },
  )
  .map((pairs) => ({ ...complete, ...Object.fromEntries(pairs) }));
