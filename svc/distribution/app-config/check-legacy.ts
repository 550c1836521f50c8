import type { Checks } from './faults.ts';
import type { ConfigurationSource } from './source.ts';

/** Every rule of the v1 configuration (D 3.2), the days weight included, which the original forgot (fault 17). */
export function checkLegacy({ legacy, appVersions }: ConfigurationSource, check: Checks): void {
  check.whole('legacy.minRiskScore', legacy.minRiskScore, 0, 9999);
  checkRiskScores(legacy.exposureConfig, check);
  checkClasses(legacy.riskScoreClasses, check);
  checkAttenuation(legacy.attenuationDuration, check);
  checkVersions('appVersions.ios', appVersions.ios, check);
  checkVersions('appVersions.androidSemantic', appVersions.androidSemantic, check);
}

function checkRiskScores(scores: ConfigurationSource['legacy']['exposureConfig'], check: Checks): void {
  for (const name of ['transmissionWeight', 'durationWeight', 'attenuationWeight', 'daysWeight'] as const) {
    check.within(`legacy.exposureConfig.${name}`, scores[name], 0.001, 100);
    check.decimals(`legacy.exposureConfig.${name}`, scores[name], 3);
  }
  for (const name of ['transmission', 'duration', 'daysSinceLastExposure', 'attenuation'] as const) {
    const levels = Object.entries(scores[name]);
    check.holds(`legacy.exposureConfig.${name}`, levels.length, 'INVALID_VALUES', levels.length === 8);
    for (const [level, value] of levels) check.whole(`legacy.exposureConfig.${name}.${level}`, value, 0, 8);
  }
}

function checkClasses(classes: ConfigurationSource['legacy']['riskScoreClasses'], check: Checks): void {
  for (const [i, { label, min, max, url }] of classes.entries()) {
    const field = `legacy.riskScoreClasses[${i}]`;
    check.holds(`${field}.label`, label, 'BLANK_LABEL', label.trim() !== '');
    check.whole(`${field}.min`, min, 0, 9999);
    check.whole(`${field}.max`, max, 0, 9999);
    check.holds(`${field}.min`, min, 'MIN_GREATER_THAN_MAX', min <= max);
    check.holds(`${field}.url`, url, 'INVALID_URL', isUrl(url));
  }
  const width = classes.reduce((sum, { min, max }) => sum + max - min, 0);
  check.holds('legacy.riskScoreClasses', width, 'INVALID_PARTITIONING', width === 9999);
  // The original looked at the sum alone, which classes that overlap and leave gaps can have too.
  const ordered = [...classes].sort((a, b) => a.min - b.min || a.max - b.max);
  const seamless = ordered.every(({ min }, i) => min === (ordered[i - 1]?.max ?? 0));
  const bounds = ordered.map(({ min, max }) => [min, max]);
  check.holds('legacy.riskScoreClasses', bounds, 'INVALID_PARTITIONING', seamless);
}

function checkAttenuation(attenuation: ConfigurationSource['legacy']['attenuationDuration'], check: Checks): void {
  const { thresholds, weights } = attenuation;
  const field = 'legacy.attenuationDuration';
  check.whole(`${field}.thresholds.lower`, thresholds.lower, 0, 100);
  check.whole(`${field}.thresholds.upper`, thresholds.upper, 0, 100);
  check.holds(
    `${field}.thresholds.lower`,
    thresholds.lower,
    'MIN_GREATER_THAN_MAX',
    thresholds.lower <= thresholds.upper,
  );
  for (const name of ['low', 'mid', 'high'] as const) {
    check.within(`${field}.weights.${name}`, weights[name], 0, 1);
    check.decimals(`${field}.weights.${name}`, weights[name], 3);
  }
  check.whole(`${field}.defaultBucketOffset`, attenuation.defaultBucketOffset, 0, 1);
  // From 1: the phone divides by it.
  check.whole(`${field}.riskScoreNormalizationDivisor`, attenuation.riskScoreNormalizationDivisor, 1, 1000);
}

function checkVersions(field: string, { latest, min }: { latest: string; min: string }, check: Checks): void {
  const form = /^\d{1,5}\.\d{1,5}\.\d{1,5}$/;
  check.holds(`${field}.latest`, latest, 'INVALID_VALUES', form.test(latest));
  check.holds(`${field}.min`, min, 'INVALID_VALUES', form.test(min));
  check.holds(`${field}.latest`, latest, 'MIN_GREATER_THAN_MAX', order(min) <= order(latest));
}

/** The original packs versions likewise: enough for five digits a part. */
function order(version: string): number {
  return version.split('.').reduce((sum, part) => sum * 100_000 + Number(part), 0);
}

const isUrl = (text: string): boolean => URL.canParse(text);
