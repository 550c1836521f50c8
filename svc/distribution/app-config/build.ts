import { encodeConfigAndroid, encodeConfigIos, encodeConfigV1 } from '../../../lib/exposure/app-config.ts';
import { checkCurrent } from './check-current.ts';
import { checkLegacy } from './check-legacy.ts';
import { checkEachValue } from './check-each-value.ts';
import { checkShape } from './check-shape.ts';
import { checksInto, ConfigurationFault, type Fault } from './faults.ts';
import type { AndroidValues, ConfigurationSource, IosValues, RiskCalculation } from './source.ts';

/** `export.bin` of each configuration archive: bare messages without header (D 3.1). */
export interface ConfigurationFiles {
  readonly v1: Buffer;
  readonly androidV1: Buffer;
  readonly iosV1: Buffer;
  readonly androidV2: Buffer;
  readonly iosV2: Buffer;
}

interface Countries {
  readonly supportedCountries: readonly string[];
}

/** Everything that is wrong with a configuration; empty when it may be published. */
export function faultsOf(source: ConfigurationSource, { supportedCountries }: Countries): Fault[] {
  const faults: Fault[] = [];
  const check = checksInto(faults);
  checkShape(source, check);
  // The rules look into fields that would not be there.
  if (faults.length > 0) return faults;
  checkLegacy(source, check);
  checkCurrent(source, supportedCountries, check);
  checkEachValue('', source, check);
  return faults;
}

/**
 * The five files of one source. Equal values give equal bytes.
 * @throws ConfigurationFault that names each field, value and rule
 */
export function buildConfiguration(source: ConfigurationSource, countries: Countries): ConfigurationFiles {
  const faults = faultsOf(source, countries);
  if (faults.length > 0) throw new ConfigurationFault(faults);
  const { v1, v2 } = source.riskCalculation;
  return {
    v1: encodeConfigV1(legacyValues(source, countries)),
    androidV1: encodeConfigAndroid(androidValues(source, countries, v1)),
    iosV1: encodeConfigIos(iosValues(source, countries, v1)),
    androidV2: encodeConfigAndroid({ ...androidValues(source, countries, v2), ...addedInV2(source).android }),
    iosV2: encodeConfigIos({ ...iosValues(source, countries, v2), ...addedInV2(source).ios }),
  };
}

function legacyValues(source: ConfigurationSource, { supportedCountries }: Countries) {
  const { legacy, appVersions, keyDownload, exposureDetection } = source;
  const { revokedDayPackages, revokedHourPackages } = keyDownload;
  return {
    minRiskScore: legacy.minRiskScore,
    riskScoreClasses: { riskClasses: legacy.riskScoreClasses },
    exposureConfig: legacy.exposureConfig,
    attenuationDuration: legacy.attenuationDuration,
    appVersion: { ios: versions(appVersions.ios), android: versions(appVersions.androidSemantic) },
    appFeatures: { appFeatures: source.appFeatures },
    supportedCountries: [...supportedCountries],
    iosKeyDownloadParameters: { revokedDayPackages, revokedHourPackages },
    androidKeyDownloadParameters: { revokedDayPackages, revokedHourPackages, ...keyDownload.android },
    iosExposureDetectionParameters: exposureDetection.ios,
    androidExposureDetectionParameters: exposureDetection.android,
  };
}

function androidValues(source: ConfigurationSource, countries: Countries, risk: RiskCalculation): AndroidValues {
  const { appVersions, keyDownload, survey, analytics, selfReport } = source;
  const { android: downloads, ...revoked } = keyDownload;
  return {
    minVersionCode: BigInt(appVersions.androidVersionCode.min),
    latestVersionCode: BigInt(appVersions.androidVersionCode.latest),
    ...shared(source, countries, risk),
    keyDownloadParameters: { ...revoked, ...downloads },
    exposureDetectionParameters: source.exposureDetection.android,
    diagnosisKeysDataMapping: source.android.diagnosisKeysDataMapping,
    dailySummariesConfig: source.android.dailySummariesConfig,
    eventDrivenUserSurveyParameters: { common: surveyOf(source, 'android'), ppac: survey.androidPpac },
    privacyPreservingAnalyticsParameters: { common: analyticsOf(source), ppac: analytics.androidPpac },
    selfReportParameters: { common: selfReportOf(source), ppac: selfReport.androidPpac },
  };
}

function iosValues(source: ConfigurationSource, countries: Countries, risk: RiskCalculation): IosValues {
  const { android: _, ...revoked } = source.keyDownload;
  const { latest, min } = versions(source.appVersions.ios);
  return {
    minVersion: min,
    latestVersion: latest,
    ...shared(source, countries, risk),
    keyDownloadParameters: revoked,
    exposureDetectionParameters: source.exposureDetection.ios,
    exposureConfiguration: source.ios.exposureConfiguration,
    eventDrivenUserSurveyParameters: { common: surveyOf(source, 'ios'), ppac: {} },
    privacyPreservingAnalyticsParameters: { common: analyticsOf(source), ppac: {} },
    selfReportParameters: { common: selfReportOf(source), ppac: {} },
  };
}

function shared(source: ConfigurationSource, { supportedCountries }: Countries, risk: RiskCalculation) {
  return {
    appFeatures: { appFeatures: source.appFeatures },
    supportedCountries: [...supportedCountries],
    riskCalculationParameters: risk,
    presenceTracingParameters: source.presenceTracing,
    coronaTestParameters: source.coronaTest,
  };
}

/** What apps before 1.15 do not know (D 3.1). */
function addedInV2({ dgc, survey }: ConfigurationSource) {
  const dgcParameters = {
    testCertificateParameters: dgc.testCertificateParameters,
    expirationThresholdInDays: dgc.expirationThresholdInDays,
    blockListParameters: {},
    reissueServicePublicKeyDigest: new Uint8Array(Buffer.from(dgc.reissueServicePublicKeyDigest, 'hex')),
  };
  return {
    android: { errorLogSharingParameters: { common: {}, ppac: survey.androidPpac }, dgcParameters },
    ios: { errorLogSharingParameters: { common: {}, ppac: {} }, dgcParameters },
  };
}

function surveyOf({ survey }: ConfigurationSource, system: 'ios' | 'android') {
  return {
    otpQueryParameterName: survey.otpQueryParameterName,
    surveyOnHighRiskEnabled: survey.surveyOnHighRiskEnabled[system],
    surveyOnHighRiskUrl: survey.surveyOnHighRiskUrl,
  };
}

function analyticsOf({ analytics }: ConfigurationSource) {
  const { androidPpac: _, ...common } = analytics;
  return common;
}

function selfReportOf({ selfReport }: ConfigurationSource) {
  const { androidPpac: _, ...common } = selfReport;
  return common;
}

function versions({ latest, min }: { latest: string; min: string }) {
  return { latest: version(latest), min: version(min) };
}

function version(text: string) {
  const [major = 0, minor = 0, patch = 0] = text.split('.').map(Number);
  return { major, minor, patch };
}
