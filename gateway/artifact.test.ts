import { expect, test } from 'vitest';
import { type Artifact, artifactOf } from './artifact.ts';

test.each<[string | undefined, Artifact]>([
  ['version', 'index'],
  ['version/v1/diagnosis-keys/country', 'index'],
  ['version/v1/diagnosis-keys/country/DE/date', 'index'],
  ['version/v1/diagnosis-keys/country/DE/date/2020-06-17', 'day'],
  ['version/v1/diagnosis-keys/country/DE/date/2020-06-17/hour', 'index'],
  ['version/v1/diagnosis-keys/country/EUR/date/2020-06-17/hour/5', 'hour'],
  ['version/v1/diagnosis-keys/country/DE', 'other'],
  ['version/v1/configuration/country/DE/app_config', 'configuration'],
  ['version/v2/app_config_android', 'configuration'],
  ['version/v1/stats', 'other'],
  ['version/v2/twp/country/DE/hour/7', 'other'],
  [undefined, 'other'],
])('%s is %s', (key, artifact) => {
  expect(artifactOf(key)).toBe(artifact);
});
