import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfigAndroidValues, ConfigIosValues } from '../../../lib/exposure/app-config.ts';

/** Field types come from the messages themselves, so that a value in the wrong place does not compile. */
export type AndroidValues = Exclude<ConfigAndroidValues, { $typeName: string }>;
export type IosValues = Exclude<ConfigIosValues, { $typeName: string }>;
type Field<T, K extends keyof T> = Exclude<T[K], undefined>;

interface PerSystem<T> {
  readonly ios: T;
  readonly android: T;
}

interface Integrity {
  requireBasicIntegrity: boolean;
  requireCTSProfileMatch: boolean;
  requireEvaluationTypeBasic: boolean;
  requireEvaluationTypeHardwareBacked: boolean;
}

export interface ValueRange {
  min: number;
  max: number;
  minExclusive: boolean;
  maxExclusive: boolean;
}

export interface LevelMapping {
  normalizedTimeRange: ValueRange;
  /** 1 low, 2 high. */
  riskLevel: 1 | 2;
}

export interface RiskCalculation {
  minutesAtAttenuationFilters: { attenuationRange: ValueRange; dropIfMinutesInRange: ValueRange }[];
  trlFilters: { dropIfTrlInRange: ValueRange }[];
  minutesAtAttenuationWeights: { attenuationRange: ValueRange; weight: number }[];
  normalizedTimePerEWToRiskLevelMapping: LevelMapping[];
  normalizedTimePerDayToRiskLevelMapping: LevelMapping[];
  trlEncoding: {
    infectiousnessOffsetStandard: number;
    infectiousnessOffsetHigh: number;
    reportTypeOffsetRecursive: number;
    reportTypeOffsetSelfReport: number;
    reportTypeOffsetConfirmedClinicalDiagnosis: number;
    reportTypeOffsetConfirmedTest: number;
  };
  transmissionRiskLevelMultiplier: number;
  transmissionRiskValueMapping: { transmissionRiskLevel: number; transmissionRiskValue: number }[];
  maxEncounterAgeInDays: number;
}

export interface CheckInRisk
  extends Pick<RiskCalculation, 'transmissionRiskValueMapping' | 'normalizedTimePerDayToRiskLevelMapping'> {
  normalizedTimePerCheckInToRiskLevelMapping: LevelMapping[];
  maxCheckInAgeInDays: number;
}

type Levels = Record<string, number>;

/** The one source of all configuration files (D 3). `defaults.json` holds the published defaults. */
export interface ConfigurationSource {
  appVersions: {
    ios: { latest: string; min: string };
    androidSemantic: { latest: string; min: string };
    androidVersionCode: { latest: number; min: number };
  };
  appFeatures: { label: string; value: number }[];
  keyDownload: {
    /** `etag` in quotes, exactly as served (D 5.1). */
    revokedDayPackages: { region: string; date: string; etag: string }[];
    revokedHourPackages: { region: string; date: string; hour: number; etag: string }[];
    revokedTraceWarningPackages: { etag: string }[];
    android: { downloadTimeoutInSeconds: number; overallTimeoutInSeconds: number };
  };
  exposureDetection: {
    ios: { maxExposureDetectionsPerInterval: number };
    android: { maxExposureDetectionsPerInterval: number; overallTimeoutInSeconds: number };
  };
  legacy: {
    minRiskScore: number;
    attenuationDuration: {
      thresholds: { lower: number; upper: number };
      weights: { low: number; mid: number; high: number };
      defaultBucketOffset: number;
      riskScoreNormalizationDivisor: number;
    };
    riskScoreClasses: { label: string; min: number; max: number; url: string }[];
    exposureConfig: {
      transmission: Levels;
      transmissionWeight: number;
      duration: Levels;
      durationWeight: number;
      daysSinceLastExposure: Levels;
      daysWeight: number;
      attenuation: Levels;
      attenuationWeight: number;
    };
  };
  /** `v1` for apps 1.8 to 1.14, `v2` from 1.15 on (D 3.4). */
  riskCalculation: { v1: RiskCalculation; v2: RiskCalculation };
  android: {
    diagnosisKeysDataMapping: {
      daysSinceOnsetToInfectiousness: Record<string, number>;
      infectiousnessWhenDaysSinceOnsetMissing: number;
      reportTypeWhenMissing: number;
    };
    dailySummariesConfig: Field<AndroidValues, 'dailySummariesConfig'>;
  };
  ios: { exposureConfiguration: Field<IosValues, 'exposureConfiguration'> };
  survey: {
    otpQueryParameterName: string;
    surveyOnHighRiskUrl: string;
    surveyOnHighRiskEnabled: PerSystem<boolean>;
    androidPpac: Integrity;
  };
  analytics: {
    probabilityToSubmit: number;
    probabilityToSubmitExposureWindows: number;
    hoursSinceTestRegistrationToSubmitTestResultMetadata: number;
    hoursSinceTestResultToSubmitKeySubmissionMetadata: number;
    androidPpac: Integrity;
  };
  selfReport: { timeSinceOnboardingInHours: number; timeBetweenSubmissionsInDays: number; androidPpac: Integrity };
  coronaTest: Field<AndroidValues, 'coronaTestParameters'>;
  presenceTracing: Field<AndroidValues, 'presenceTracingParameters'> & { riskCalculationParameters: CheckInRisk };
  dgc: {
    testCertificateParameters: { waitAfterPublicKeyRegistrationInSeconds: number; waitForRetryInSeconds: number };
    expirationThresholdInDays: number;
    /** Hex; the Android app refuses the whole configuration when it is empty. */
    reissueServicePublicKeyDigest: string;
  };
}

/** 32 octets that belong to no service: enough for a local run, wrong for production (decision 31). */
export const placeholderDigest = '63776120706c616365686f6c6465722c206e6f742061207265616c206b657921';

/** The published defaults with the digest of the reissue service's public key (hex). */
export function defaultConfiguration(reissueServicePublicKeyDigest: string): ConfigurationSource {
  const text = readFileSync(join(import.meta.dirname, 'defaults.json'), 'utf8');
  const source = JSON.parse(text) as ConfigurationSource;
  return { ...source, dgc: { ...source.dgc, reissueServicePublicKeyDigest } };
}

/** `source` with the fields that `changes` names replaced; lists are replaced whole. */
export function changedConfiguration(source: ConfigurationSource, changes: unknown): ConfigurationSource {
  return merged(source, changes) as ConfigurationSource;
}

function merged(base: unknown, changes: unknown): unknown {
  if (!isObject(base) || !isObject(changes)) return changes;
  const result: Record<string, unknown> = { ...base };
  for (const [name, value] of Object.entries(changes)) result[name] = name in base ? merged(base[name], value) : value;
  return result;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
