import { DAY_SECONDS } from '../lib/exposure/intervals.ts';
import { DEFAULT_RISK_LEVEL_ENCODING, type RiskLevelEncoding, unpackRiskLevel } from '../lib/exposure/risk-level.ts';
import { RiskCalculationError } from './risk-v1.ts';
import { isClockWrong } from './schedule.ts';
import type { ExposureWindow } from './windows.ts';

export const RISK_LEVEL = { unspecified: 0, low: 1, high: 2 } as const;

/** A range as the configuration writes it: absent numbers are 0, absent flags false (P R2-1). */
export interface Range {
  min?: number;
  max?: number;
  minExclusive?: boolean;
  maxExclusive?: boolean;
}

interface LevelMapping {
  normalizedTimeRange?: Range | undefined;
  riskLevel?: number;
}

/** `RiskCalculationParameters` of the v2 configuration; every part may be absent, as on the wire (P section 5). */
export interface RiskV2Parameters {
  minutesAtAttenuationFilters?: readonly {
    attenuationRange?: Range | undefined;
    dropIfMinutesInRange?: Range | undefined;
  }[];
  trlFilters?: readonly { dropIfTrlInRange?: Range | undefined }[];
  minutesAtAttenuationWeights?: readonly { attenuationRange?: Range | undefined; weight?: number }[];
  normalizedTimePerEWToRiskLevelMapping?: readonly LevelMapping[];
  normalizedTimePerDayToRiskLevelMapping?: readonly LevelMapping[];
  trlEncoding?: Partial<RiskLevelEncoding> | undefined;
  transmissionRiskLevelMultiplier?: number;
  transmissionRiskValueMapping?: readonly { transmissionRiskLevel?: number; transmissionRiskValue?: number }[];
  maxEncounterAgeInDays?: number;
}

export interface RiskV2Options {
  /** Historic fixtures only: TRL times multiplier instead of the missing mapping (P R2-6). */
  allowMultiplier?: boolean;
  /** Off for historic fixtures only (P R2-8, decision 6). */
  roundPerDay?: boolean;
}

export interface DayRisk {
  /** UTC day number. */
  day: number;
  riskLevel: number;
  normalizedMinutes: number;
  lowEncounters: number;
  highEncounters: number;
}

/** P R2-11. Days are UTC day numbers. */
export interface RiskV2Result {
  totalRiskLevel: number;
  mostRecentDayWithLowRisk: number | null;
  mostRecentDayWithHighRisk: number | null;
  numberOfDaysWithLowRisk: number;
  numberOfDaysWithHighRisk: number;
  totalMinimumDistinctEncountersWithLowRisk: number;
  totalMinimumDistinctEncountersWithHighRisk: number;
  days: DayRisk[];
}

interface ScoredWindow {
  day: number;
  level: number;
  minutes: number;
  /** Windows with equal level and confidence are taken for one encounter (P R2-10). */
  encounter: string;
}

const DEFAULT_MAX_AGE_DAYS = 14;

/** Whether a value lies in a range; an absent range is 0 to 0 (P R2-1). */
export function inRange(value: number, range: Range | undefined): boolean {
  const { min = 0, max = 0, minExclusive = false, maxExclusive = false } = range ?? {};
  if (value < min || (minExclusive && value <= min)) return false;
  return !(value > max || (maxExclusive && value >= max));
}

/**
 * Risk of the exposure windows on UTC day `today` (P R2-2 to R2-11).
 * @throws RiskCalculationError for a configuration without risk values or a window with an unknown report type
 */
export function calculateRiskV2(
  windows: readonly ExposureWindow[],
  parameters: RiskV2Parameters,
  today: number,
  options: RiskV2Options = {},
): RiskV2Result {
  if ((parameters.transmissionRiskValueMapping ?? []).length === 0 && options.allowMultiplier !== true) {
    throw new RiskCalculationError('CONFIGURATION_OUTDATED');
  }
  const oldest = today - (parameters.maxEncounterAgeInDays || DEFAULT_MAX_AGE_DAYS);
  // Equal windows stay two windows, so nothing here is keyed by content (P R2-9).
  const scored = windows
    .filter((window) => dayOf(window) >= oldest)
    .flatMap((window) => scoreWindow(window, parameters) ?? []);
  return result(daysOf(scored, parameters, options.roundPerDay !== false));
}

/** Transmission risk level of a window (P R2-4). */
function transmissionRiskLevelOf(
  window: Pick<ExposureWindow, 'reportType' | 'infectiousness'>,
  encoding: Partial<RiskLevelEncoding> | undefined,
): number {
  const full = encoding === undefined ? DEFAULT_RISK_LEVEL_ENCODING : { ...ZERO_ENCODING, ...encoding };
  const level = unpackRiskLevel(window.reportType, window.infectiousness, full);
  if (level === undefined) throw new RiskCalculationError('REPORT_TYPE');
  return level;
}

/** Absent offsets of a present message are zero, as on the wire. */
const ZERO_ENCODING: RiskLevelEncoding = {
  infectiousnessOffsetStandard: 0,
  infectiousnessOffsetHigh: 0,
  reportTypeOffsetRecursive: 0,
  reportTypeOffsetSelfReport: 0,
  reportTypeOffsetConfirmedClinicalDiagnosis: 0,
  reportTypeOffsetConfirmedTest: 0,
};

function scoreWindow(window: ExposureWindow, parameters: RiskV2Parameters): ScoredWindow | undefined {
  if (isDroppedByAttenuation(window, parameters)) return undefined;
  const trl = transmissionRiskLevelOf(window, parameters.trlEncoding);
  if ((parameters.trlFilters ?? []).some(({ dropIfTrlInRange }) => inRange(trl, dropIfTrlInRange))) return undefined;
  const minutes = riskValue(trl, parameters) * (weightedSeconds(window, parameters) / 60);
  const level = levelOf(minutes, parameters.normalizedTimePerEWToRiskLevelMapping);
  if (level === undefined) return undefined;
  return { day: dayOf(window), level, minutes, encounter: `${trl}_${window.calibrationConfidence}` };
}

/** P R2-3. */
function isDroppedByAttenuation(window: ExposureWindow, parameters: RiskV2Parameters): boolean {
  return (parameters.minutesAtAttenuationFilters ?? []).some(({ attenuationRange, dropIfMinutesInRange }) => {
    const seconds = window.scanInstances
      .filter(({ minAttenuationDb }) => inRange(minAttenuationDb, attenuationRange))
      .reduce((sum, scan) => sum + Math.max(scan.secondsSinceLastScan, 0), 0);
    return inRange(seconds / 60, dropIfMinutesInRange);
  });
}

/** P R2-6. */
function riskValue(trl: number, parameters: RiskV2Parameters): number {
  const mapping = parameters.transmissionRiskValueMapping ?? [];
  if (mapping.length === 0) return trl * (parameters.transmissionRiskLevelMultiplier ?? 0);
  return mapping.find(({ transmissionRiskLevel = 0 }) => transmissionRiskLevel === trl)?.transmissionRiskValue ?? 0;
}

/** P R2-7: the first entry whose range holds the minimum attenuation of a scan gives its weight. */
function weightedSeconds(window: ExposureWindow, parameters: RiskV2Parameters): number {
  const weights = parameters.minutesAtAttenuationWeights ?? [];
  return window.scanInstances.reduce((sum, scan) => {
    const entry = weights.find(({ attenuationRange }) => inRange(scan.minAttenuationDb, attenuationRange));
    return sum + Math.max(scan.secondsSinceLastScan, 0) * (entry?.weight ?? 0);
  }, 0);
}

function levelOf(minutes: number, mappings: readonly LevelMapping[] | undefined): number | undefined {
  const entry = (mappings ?? []).find(({ normalizedTimeRange }) => inRange(minutes, normalizedTimeRange));
  return entry === undefined ? undefined : (entry.riskLevel ?? RISK_LEVEL.unspecified);
}

/** P R2-8, R2-10. */
function daysOf(windows: readonly ScoredWindow[], parameters: RiskV2Parameters, round: boolean): DayRisk[] {
  const days = [...new Set(windows.map(({ day }) => day))].sort((a, b) => a - b);
  return days.flatMap((day) => {
    const ofDay = windows.filter((window) => window.day === day);
    const sum = ofDay.reduce((total, { minutes }) => total + minutes, 0);
    const minutes = round ? Math.round(10 * sum) / 10 : sum;
    const riskLevel = levelOf(minutes, parameters.normalizedTimePerDayToRiskLevelMapping);
    if (riskLevel === undefined) return [];
    const encounters = (level: number): number =>
      new Set(ofDay.filter((window) => window.level === level).map(({ encounter }) => encounter)).size;
    return [
      {
        day,
        riskLevel,
        normalizedMinutes: minutes,
        lowEncounters: encounters(RISK_LEVEL.low),
        highEncounters: encounters(RISK_LEVEL.high),
      },
    ];
  });
}

function result(days: DayRisk[]): RiskV2Result {
  const low = days.filter(({ riskLevel }) => riskLevel === RISK_LEVEL.low);
  const high = days.filter(({ riskLevel }) => riskLevel === RISK_LEVEL.high);
  return {
    totalRiskLevel: high.length > 0 ? RISK_LEVEL.high : RISK_LEVEL.low,
    mostRecentDayWithLowRisk: low.at(-1)?.day ?? null,
    mostRecentDayWithHighRisk: high.at(-1)?.day ?? null,
    numberOfDaysWithLowRisk: low.length,
    numberOfDaysWithHighRisk: high.length,
    totalMinimumDistinctEncountersWithLowRisk: days.reduce((sum, day) => sum + day.lowEncounters, 0),
    totalMinimumDistinctEncountersWithHighRisk: days.reduce((sum, day) => sum + day.highEncounters, 0),
    days,
  };
}

function dayOf(window: Pick<ExposureWindow, 'dateMillisSinceEpoch'>): number {
  return Math.floor(window.dateMillisSinceEpoch / 1000 / DAY_SECONDS);
}

/** Why the phone shows no risk at all (P R2-12). */
export type NoRiskReason = 'CLOCK' | 'TRACING_OFF' | 'PACKAGES_OUTDATED' | 'NEVER_DETECTED';

const OUTDATED_SECONDS = 48 * 3600;

/** P R2-12. Times in seconds; a day package counts as of 23:59:59 of its day. */
export function noRiskReason(input: {
  nowSeconds: number;
  clockOffsetSeconds: number | undefined;
  tracingOn: boolean;
  newestPackageSeconds: number | undefined;
  everDetected: boolean;
}): NoRiskReason | undefined {
  if (isClockWrong(input.clockOffsetSeconds)) return 'CLOCK';
  if (!input.tracingOn) return 'TRACING_OFF';
  if (!input.everDetected) return 'NEVER_DETECTED';
  const newest = input.newestPackageSeconds;
  if (newest === undefined || input.nowSeconds - newest > OUTDATED_SECONDS) return 'PACKAGES_OUTDATED';
  return undefined;
}
