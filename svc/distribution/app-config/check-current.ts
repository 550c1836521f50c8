import { parseDayName } from '../../../lib/exposure/intervals.ts';
import type { Checks } from './faults.ts';
import type { CheckInRisk, ConfigurationSource, LevelMapping, RiskCalculation } from './source.ts';

/**
 * Bounds of the v2 files (D 3.5) with what the original left unchecked (BETTER), and everything that makes the Android
 * app refuse a configuration (D 3.6).
 */
export function checkCurrent(source: ConfigurationSource, supportedCountries: readonly string[], check: Checks): void {
  checkDownloads(source, check);
  checkSurveys(source, check);
  checkCertificates(source.dgc, check);
  checkKeyMapping(source.android.diagnosisKeysDataMapping, check);
  const { infectiousnessForDaysSinceOnsetOfSymptoms: iosMap } = source.ios.exposureConfiguration;
  checkInfectiousness('ios.exposureConfiguration.infectiousnessForDaysSinceOnsetOfSymptoms', iosMap ?? {}, check);
  checkRisk('riskCalculation.v1', source.riskCalculation.v1, check);
  checkRisk('riskCalculation.v2', source.riskCalculation.v2, check);
  checkCheckInRisk(source.presenceTracing.riskCalculationParameters, check);
  const { infectiousnessWeights = {}, reportTypeWeights = {} } = source.android.dailySummariesConfig;
  checkNames('android.dailySummariesConfig.infectiousnessWeights', infectiousnessWeights, 2, check);
  checkNames('android.dailySummariesConfig.reportTypeWeights', reportTypeWeights, 5, check);
  const { latest, min } = source.appVersions.androidVersionCode;
  check.whole('appVersions.androidVersionCode.latest', latest, 0, Number.MAX_SAFE_INTEGER);
  check.whole('appVersions.androidVersionCode.min', min, 0, Number.MAX_SAFE_INTEGER);
  check.holds('appVersions.androidVersionCode.latest', latest, 'MIN_GREATER_THAN_MAX', min <= latest);
  const listed = supportedCountries.length > 0 && supportedCountries.every(isCountry);
  check.holds('supportedCountries', supportedCountries, 'INVALID_VALUES', listed);
}

function checkDownloads({ keyDownload, exposureDetection }: ConfigurationSource, check: Checks): void {
  const { android, ios } = exposureDetection;
  check.whole('exposureDetection.ios.maxExposureDetectionsPerInterval', ios.maxExposureDetectionsPerInterval, 0, 6);
  check.whole(
    'exposureDetection.android.maxExposureDetectionsPerInterval',
    android.maxExposureDetectionsPerInterval,
    0,
    6,
  );
  check.whole('exposureDetection.android.overallTimeoutInSeconds', android.overallTimeoutInSeconds, 0, 3600);
  check.whole('keyDownload.android.downloadTimeoutInSeconds', keyDownload.android.downloadTimeoutInSeconds, 0, 1800);
  check.whole('keyDownload.android.overallTimeoutInSeconds', keyDownload.android.overallTimeoutInSeconds, 0, 1800);
  // A phone compares the whole string, quotes included (D 5.1).
  for (const name of ['revokedDayPackages', 'revokedHourPackages', 'revokedTraceWarningPackages'] as const) {
    for (const [i, { etag }] of keyDownload[name].entries()) {
      check.holds(`keyDownload.${name}[${i}].etag`, etag, 'INVALID_VALUES', /^"[^"]+"$/.test(etag));
    }
  }
  for (const name of ['revokedDayPackages', 'revokedHourPackages'] as const) {
    for (const [i, { date }] of keyDownload[name].entries()) {
      check.holds(`keyDownload.${name}[${i}].date`, date, 'INVALID_VALUES', parseDayName(date) !== undefined);
    }
  }
  for (const [i, { hour }] of keyDownload.revokedHourPackages.entries()) {
    check.whole(`keyDownload.revokedHourPackages[${i}].hour`, hour, 0, 23);
  }
}

function checkSurveys({ survey, analytics, selfReport }: ConfigurationSource, check: Checks): void {
  const name = survey.otpQueryParameterName;
  check.holds('survey.otpQueryParameterName', name, 'INVALID_VALUES', name.length >= 1 && name.length <= 30);
  const url = survey.surveyOnHighRiskUrl;
  check.holds('survey.surveyOnHighRiskUrl', url, 'INVALID_URL', URL.canParse(url) && /^https?:\/\//.test(url));
  for (const field of ['probabilityToSubmit', 'probabilityToSubmitExposureWindows'] as const) {
    check.within(`analytics.${field}`, analytics[field], 0, 1);
  }
  for (const field of [
    'hoursSinceTestRegistrationToSubmitTestResultMetadata',
    'hoursSinceTestResultToSubmitKeySubmissionMetadata',
  ] as const) {
    check.whole(`analytics.${field}`, analytics[field], 0, 2 ** 31 - 1);
  }
  check.whole('selfReport.timeSinceOnboardingInHours', selfReport.timeSinceOnboardingInHours, 1, 1000);
  check.whole('selfReport.timeBetweenSubmissionsInDays', selfReport.timeBetweenSubmissionsInDays, 1, 1000);
}

function checkCertificates(dgc: ConfigurationSource['dgc'], check: Checks): void {
  const { waitAfterPublicKeyRegistrationInSeconds: wait, waitForRetryInSeconds: retry } = dgc.testCertificateParameters;
  check.whole('dgc.testCertificateParameters.waitAfterPublicKeyRegistrationInSeconds', wait, 0, 60);
  check.whole('dgc.testCertificateParameters.waitForRetryInSeconds', retry, 0, 60);
  check.whole('dgc.expirationThresholdInDays', dgc.expirationThresholdInDays, 0, 100);
  const digest = dgc.reissueServicePublicKeyDigest;
  check.holds('dgc.reissueServicePublicKeyDigest', digest, 'MISSING', digest !== '');
  check.holds('dgc.reissueServicePublicKeyDigest', digest, 'INVALID_VALUES', /^([0-9a-f]{2})*$/i.test(digest));
}

/** ISO 3166-1; groups of countries and the code for "unknown" are none. */
function isCountry(code: string): boolean {
  if (!/^[A-Z]{2}$/.test(code) || ['EU', 'EZ', 'UN', 'ZZ'].includes(code)) return false;
  return new Intl.DisplayNames('en', { type: 'region', fallback: 'none' }).of(code) !== undefined;
}

function checkKeyMapping(mapping: ConfigurationSource['android']['diagnosisKeysDataMapping'], check: Checks): void {
  const field = 'android.diagnosisKeysDataMapping';
  checkInfectiousness(`${field}.daysSinceOnsetToInfectiousness`, mapping.daysSinceOnsetToInfectiousness, check);
  check.whole(
    `${field}.infectiousnessWhenDaysSinceOnsetMissing`,
    mapping.infectiousnessWhenDaysSinceOnsetMissing,
    0,
    2,
  );
  check.whole(`${field}.reportTypeWhenMissing`, mapping.reportTypeWhenMissing, 1, 5);
}

function checkInfectiousness(field: string, map: Readonly<Record<string, number>>, check: Checks): void {
  const entries = Object.entries(map);
  check.holds(field, entries.length, 'INVALID_VALUES', entries.length <= 29);
  for (const [days, infectiousness] of entries) {
    check.whole(field, Number(days), -14, 14);
    check.whole(`${field}.${days}`, infectiousness, 0, 2);
  }
  // Keys are published with 1 or 2 days since onset only (D 2.4): a phone that does not know them loses the level.
  check.holds(field, map, 'MISSING', map['1'] === 1 && map['2'] === 2);
}

const publishedEncoding = {
  infectiousnessOffsetStandard: 1,
  infectiousnessOffsetHigh: 2,
  reportTypeOffsetRecursive: 0,
  reportTypeOffsetSelfReport: 2,
  reportTypeOffsetConfirmedClinicalDiagnosis: 4,
  reportTypeOffsetConfirmedTest: 6,
} as const;

function checkRisk(field: string, risk: RiskCalculation, check: Checks): void {
  for (const name of Object.keys(publishedEncoding) as (keyof typeof publishedEncoding)[]) {
    // MUST be in step with the table by which keys are published (D 2.4).
    check.holds(
      `${field}.trlEncoding.${name}`,
      risk.trlEncoding[name],
      'INVALID_VALUES',
      risk.trlEncoding[name] === publishedEncoding[name],
    );
  }
  checkLevels(`${field}.transmissionRiskValueMapping`, risk.transmissionRiskValueMapping, check);
  check.whole(`${field}.maxEncounterAgeInDays`, risk.maxEncounterAgeInDays, 1, 14);
  checkMapping(`${field}.normalizedTimePerEWToRiskLevelMapping`, risk.normalizedTimePerEWToRiskLevelMapping, check);
  checkMapping(`${field}.normalizedTimePerDayToRiskLevelMapping`, risk.normalizedTimePerDayToRiskLevelMapping, check);
}

function checkCheckInRisk(risk: CheckInRisk, check: Checks): void {
  const field = 'presenceTracing.riskCalculationParameters';
  const { normalizedTimePerCheckInToRiskLevelMapping: perCheckIn, normalizedTimePerDayToRiskLevelMapping: day } = risk;
  checkLevels(`${field}.transmissionRiskValueMapping`, risk.transmissionRiskValueMapping, check);
  checkMapping(`${field}.normalizedTimePerCheckInToRiskLevelMapping`, perCheckIn, check);
  checkMapping(`${field}.normalizedTimePerDayToRiskLevelMapping`, day, check);
}

/** Names of a map that stand for numbers of an enumeration, from 0. */
function checkNames(field: string, map: Readonly<Record<string, number>>, greatest: number, check: Checks): void {
  for (const name of Object.keys(map)) check.whole(`${field}.${name}`, Number(name), 0, greatest);
}

function checkLevels(field: string, mapping: RiskCalculation['transmissionRiskValueMapping'], check: Checks): void {
  const levels = mapping.map(({ transmissionRiskLevel }) => transmissionRiskLevel);
  const covered = [1, 2, 3, 4, 5, 6, 7, 8].every((level) => levels.filter((one) => one === level).length === 1);
  check.holds(field, levels, 'MISSING', covered && levels.length === 8);
}

function checkMapping(field: string, mapping: readonly LevelMapping[], check: Checks): void {
  const ranges = mapping.map(({ normalizedTimeRange }) => normalizedTimeRange).sort((a, b) => a.min - b.min);
  for (const [i, { riskLevel }] of mapping.entries()) check.whole(`${field}[${i}].riskLevel`, riskLevel, 1, 2);
  for (const [i, range] of ranges.entries()) {
    const next = ranges[i + 1];
    if (next === undefined) continue;
    const apart = range.max < next.min || (range.max === next.min && (range.maxExclusive || next.minExclusive));
    check.holds(`${field}[${i}]`, range, 'OVERLAP', apart);
  }
}
