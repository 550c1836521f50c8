import { DAY_SECONDS } from '../../lib/exposure/intervals.ts';
import { calculateRiskV2, type RiskV2Parameters, type RiskV2Result } from '../risk-v2.ts';
import type { ExposureWindow } from '../windows.ts';
import {
  asList,
  asNumber,
  asObject,
  differences,
  isRemark,
  type JsonObject,
  notUnderstood,
  runCase,
  unknownFields,
  type VectorCase,
} from './vector-case.ts';

/** Any day does: the file knows ages only. */
const TODAY = 20_000;

const CONFIGURATION = 'defaultRiskCalculationConfiguration';

/** Parts of the configuration that the calculation reads; anything else in it is not understood. */
const PARAMETERS = [
  'minutesAtAttenuationFilters',
  'trlFilters',
  'minutesAtAttenuationWeights',
  'normalizedTimePerEWToRiskLevelMapping',
  'normalizedTimePerDayToRiskLevelMapping',
  'trlEncoding',
  'transmissionRiskLevelMultiplier',
  'transmissionRiskValueMapping',
  'maxEncounterAgeInDays',
];

/** Whether the file has the format of exposure-windows-risk-calculation.json. */
export function isRiskV2File(file: JsonObject): boolean {
  return Array.isArray(file['testCases']);
}

/** One case for each entry of `testCases`; per-day rounding is off exactly when the mapping is missing (decision 6). */
export function checkRiskV2File(file: JsonObject): VectorCase[] {
  const others = Object.entries(file)
    .filter(([key, value]) => key !== 'testCases' && key !== CONFIGURATION && !isRemark(key, value))
    .map(([key]) => notUnderstood(key));
  const cases = asList(file['testCases'], 'testCases').map((entry, i) => {
    const description = (entry as JsonObject | null)?.['description'];
    const name = `testCases[${i}] ${typeof description === 'string' ? description : ''}`.trimEnd();
    return runCase(name, () => checkCase(asObject(entry, 'the case'), asObject(file[CONFIGURATION], CONFIGURATION)));
  });
  return [...cases, ...others];
}

function checkCase(entry: JsonObject, configuration: JsonObject): string[] {
  const faults = unknownFields(configuration, PARAMETERS).map((fault) => `${CONFIGURATION}: ${fault}`);
  const expected = Object.fromEntries(
    Object.entries(entry).filter(([key]) => key.startsWith('exp') && key !== 'exposureWindows'),
  );
  faults.push(...unknownFields(entry, ['exposureWindows', ...Object.keys(expected)]));
  if (Object.keys(expected).length === 0) faults.push('the case expects nothing');
  const parameters = configuration as RiskV2Parameters;
  const historic = (parameters.transmissionRiskValueMapping ?? []).length === 0;
  const windows = asList(entry['exposureWindows'], 'exposureWindows').map((window, i) =>
    readWindow(window, `exposureWindows[${i}]`, faults),
  );
  const result = calculateRiskV2(windows, parameters, TODAY, { allowMultiplier: historic, roundPerDay: !historic });
  return [...faults, ...differences(expected, expectations(result), 'result')];
}

function expectations(result: RiskV2Result): JsonObject {
  const age = (day: number | null): number | null => (day === null ? null : TODAY - day);
  return {
    expTotalRiskLevel: result.totalRiskLevel,
    expAgeOfMostRecentDateWithLowRisk: age(result.mostRecentDayWithLowRisk),
    expAgeOfMostRecentDateWithHighRisk: age(result.mostRecentDayWithHighRisk),
    expNumberOfDaysWithLowRisk: result.numberOfDaysWithLowRisk,
    expNumberOfDaysWithHighRisk: result.numberOfDaysWithHighRisk,
    expTotalMinimumDistinctEncountersWithLowRisk: result.totalMinimumDistinctEncountersWithLowRisk,
    expTotalMinimumDistinctEncountersWithHighRisk: result.totalMinimumDistinctEncountersWithHighRisk,
  };
}

function readWindow(value: unknown, path: string, faults: string[]): ExposureWindow {
  const window = asObject(value, path);
  const known = ['ageInDays', 'reportType', 'infectiousness', 'calibrationConfidence', 'scanInstances'];
  faults.push(...unknownFields(window, known).map((fault) => `${path}: ${fault}`));
  return {
    dateMillisSinceEpoch: (TODAY - asNumber(window['ageInDays'], `${path}.ageInDays`)) * DAY_SECONDS * 1000,
    reportType: asNumber(window['reportType'], `${path}.reportType`),
    infectiousness: asNumber(window['infectiousness'], `${path}.infectiousness`),
    calibrationConfidence: asNumber(window['calibrationConfidence'] ?? 0, `${path}.calibrationConfidence`),
    scanInstances: asList(window['scanInstances'], `${path}.scanInstances`).map((scan, i) => {
      const { minAttenuation, typicalAttenuation, secondsSinceLastScan, ...rest } = asObject(
        scan,
        `${path}.scanInstances[${i}]`,
      );
      faults.push(...unknownFields(rest, []).map((fault) => `${path}.scanInstances[${i}]: ${fault}`));
      return {
        minAttenuationDb: asNumber(minAttenuation, `${path}.minAttenuation`),
        typicalAttenuationDb: asNumber(typicalAttenuation ?? 0, `${path}.typicalAttenuation`),
        secondsSinceLastScan: asNumber(secondsSinceLastScan, `${path}.secondsSinceLastScan`),
      };
    }),
  };
}
