import type { Checks } from './faults.ts';

const largest = 2 ** 31 - 1;

/**
 * Fields that travel as whole numbers and have no bounds but those of their type (D 3.2, 3.3), with least and greatest
 * value; places in lists left out.
 */
const wholeNumbers: readonly (readonly [field: RegExp, least: number, greatest: number])[] = [
  [/^appFeatures\.value$/, -largest - 1, largest],
  [/^android\.dailySummariesConfig\.(attenuationBucketThresholdDb|daysSinceExposureThreshold)$/, 0, largest],
  [
    /^ios\.exposureConfiguration\.(attenuationDurationThresholds|daysSinceLastExposureThreshold|reportTypeNoneMap)$/,
    0,
    largest,
  ],
  [/^coronaTest\.\w+\.hours\w+$/, 0, largest],
  [/^presenceTracing\.(revokedTraceLocationVersions|plausibleDeniabilityParameters\.checkInSizesInBytes)$/, 0, largest],
  [/^presenceTracing\.riskCalculationParameters\.maxCheckInAgeInDays$/, 0, largest],
  [/^presenceTracing\.qrCodeDescriptors\.(versionGroupIndex|encodedPayloadGroupIndex)$/, 0, largest],
  [/^presenceTracing\.qrCodeDescriptors\.payloadEncoding$/, 0, 1],
  [/^presenceTracing\.qrCodeErrorCorrectionLevel$/, 0, 3],
];

/**
 * What holds wherever it stands: every range begins before it ends (D 3.5 BETTER), and a number that no other rule
 * looks at fits into its message, so that it is told as a fault and does not break off a run.
 */
export function checkEachValue(field: string, value: unknown, check: Checks): void {
  if (typeof value === 'number') return checkNumber(field, value, check);
  if (typeof value !== 'object' || value === null) return;
  if ('min' in value && 'max' in value && 'minExclusive' in value) {
    const { min, max } = value as { min: number; max: number };
    check.holds(field, value, 'MIN_GREATER_THAN_MAX', min <= max);
    return;
  }
  const isList = Array.isArray(value);
  for (const [name, one] of Object.entries(value)) {
    checkEachValue(isList ? `${field}[${name}]` : field === '' ? name : `${field}.${name}`, one, check);
  }
}

function checkNumber(field: string, value: number, check: Checks): void {
  const name = field.replaceAll(/\[\d+\]/g, '');
  for (const [pattern, least, greatest] of wholeNumbers) {
    if (pattern.test(name)) check.whole(field, value, least, greatest);
  }
}
