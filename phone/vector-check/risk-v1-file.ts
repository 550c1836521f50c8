import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { decodeConfigV1 } from '../../lib/exposure/app-config.ts';
import { riskV1Config } from '../configuration-v1.ts';
import {
  attenuationIndex,
  type BucketMinutes,
  combinedRiskScore,
  daysIndex,
  durationIndex,
  type RiskV1Config,
  RiskCalculationError,
  riskClass,
} from '../risk-v1.ts';
import {
  asList,
  asNumber,
  asObject,
  differences,
  isObject,
  isRemark,
  type JsonObject,
  notUnderstood,
  runCase,
  unknownFields,
  type VectorCase,
} from './vector-case.ts';

/** Finds the configuration that a part of the file names. */
type ConfigFinder = (name: unknown) => RiskV1Config;
/** From the first value of a pair to what must be the second. */
type PairCheck = (input: number, config: () => RiskV1Config) => unknown;

/** Position in the tables of eight intervals (P R1-1). */
const INDEXES: Readonly<Record<string, PairCheck>> = {
  duration: durationIndex,
  daysSinceExposure: daysIndex,
  attenuation: attenuationIndex,
  transmission: (level) => level - 1,
  transmissionRiskLevel: (level) => level - 1,
};

/** Score that the configuration gives to a value. */
const SCORES: Readonly<Record<string, PairCheck>> = {
  durationScore: (minutes, config) => config().scores.duration[durationIndex(minutes)],
  daysSinceExposureScore: (days, config) => config().scores.daysSinceExposure[daysIndex(days)],
  attenuationScore: (db, config) => config().scores.attenuation[attenuationIndex(db)],
  transmissionScore: (level, config) => config().scores.transmission[level - 1],
  classes: (score, config) => riskClass(score, config().classes),
};

/** Whether the file has the format of risk-v1-sample.json. */
export function isRiskV1File(file: JsonObject): boolean {
  return (
    Array.isArray(file['combined']) ||
    isObject(file['bucketIndex']) ||
    Object.keys(SCORES).some((key) => isObject(file[key]))
  );
}

/** One case for each entry of each list. */
export function checkRiskV1File(file: JsonObject, path: string, given: string | undefined): VectorCase[] {
  const find = configFinder(path, given);
  return Object.entries(file).flatMap(([name, value]) => {
    if (isRemark(name, value)) return [];
    if (name === 'combined' && Array.isArray(value)) {
      return value.map((entry, i) =>
        runCase(`combined[${i}]`, () => checkCombined(asObject(entry, 'the entry'), find)),
      );
    }
    if (name === 'bucketIndex' && isObject(value)) return checkIndexes(name, value);
    const score = Object.hasOwn(SCORES, name) ? SCORES[name] : undefined;
    return score !== undefined && isObject(value) ? checkScores(name, value, score, find) : [notUnderstood(name)];
  });
}

function checkIndexes(name: string, section: JsonObject): VectorCase[] {
  return Object.entries(section).flatMap(([category, list]) => {
    if (isRemark(category, list)) return [];
    const index = Object.hasOwn(INDEXES, category) ? INDEXES[category] : undefined;
    if (index === undefined || !Array.isArray(list)) return [notUnderstood(`${name} ${category}`)];
    return checkPairs(`${name} ${category}`, list, (input) => index(input, noConfig));
  });
}

function checkScores(name: string, section: JsonObject, score: PairCheck, find: ConfigFinder): VectorCase[] {
  const others = Object.entries(section)
    .filter(([key, value]) => key !== 'config' && key !== 'cases' && !isRemark(key, value))
    .map(([key]) => notUnderstood(`${name} ${key}`));
  if (!Array.isArray(section['cases'])) return [...others, notUnderstood(`${name} without cases`)];
  return [...checkPairs(name, section['cases'], (input) => score(input, () => find(section['config']))), ...others];
}

function checkPairs(name: string, pairs: readonly unknown[], check: (input: number) => unknown): VectorCase[] {
  return pairs.map((pair, i) =>
    runCase(`${name}[${i}]`, () => {
      const [input, expected, ...rest] = asList(pair, 'the entry');
      if (rest.length > 0 || expected === undefined) return ['the entry is no pair of value and result'];
      return differences(
        expected,
        outcome(() => check(asNumber(input, 'the value')), expected),
        `${name} of ${String(input)}`,
      );
    }),
  );
}

/** An expected null or "ERROR" stands for a value that cannot be calculated (P R1-10). */
function outcome(check: () => unknown, expected: unknown): unknown {
  if (expected !== null && !(typeof expected === 'string' && /^error$/i.test(expected))) return check();
  try {
    return check();
  } catch (error) {
    if (error instanceof RiskCalculationError) return expected;
    throw error;
  }
}

/** P R1-7 to R1-9. Weights, offset and divisor come from the entry or from the configuration it names. */
function checkCombined(entry: JsonObject, find: ConfigFinder): string[] {
  const known = [
    'maxRiskScore',
    'attenuationDurationsMinutes',
    'weights',
    'offset',
    'divisor',
    'expected',
    'expectedClass',
    'config',
  ];
  const minutes = asList(entry['attenuationDurationsMinutes'], 'attenuationDurationsMinutes').map((value) =>
    asNumber(value, 'a bucket time'),
  );
  if (minutes.length !== 3) return ['attenuationDurationsMinutes has not three entries'];
  const config = entry['config'] === undefined ? undefined : find(entry['config']);
  const score = combinedRiskScore(
    asNumber(entry['maxRiskScore'], 'maxRiskScore'),
    minutes as unknown as BucketMinutes,
    {
      weights: entry['weights'] === undefined ? needed(config, 'weights').weights : readWeights(entry['weights']),
      defaultBucketOffset: asNumber(entry['offset'] ?? config?.defaultBucketOffset ?? 0, 'offset'),
      riskScoreNormalizationDivisor: asNumber(entry['divisor'] ?? config?.riskScoreNormalizationDivisor, 'divisor'),
    },
  );
  const faults = unknownFields(entry, known);
  if (entry['expected'] === undefined && entry['expectedClass'] === undefined) faults.push('the entry expects nothing');
  if (entry['expected'] !== undefined) faults.push(...differences(entry['expected'], score, 'combined risk score'));
  if (entry['expectedClass'] !== undefined)
    faults.push(...differences(entry['expectedClass'], riskClass(score, needed(config, 'classes').classes), 'class'));
  return faults;
}

function readWeights(value: unknown): RiskV1Config['weights'] {
  const { low, mid, high, ...rest } = asObject(value, 'weights');
  if (Object.keys(rest).length > 0) throw new TypeError('weights has more than low, mid and high');
  return {
    low: asNumber(low ?? 0, 'weights.low'),
    mid: asNumber(mid ?? 0, 'weights.mid'),
    high: asNumber(high ?? 0, 'weights.high'),
  };
}

function needed(config: RiskV1Config | undefined, what: string): RiskV1Config {
  if (config === undefined) throw new TypeError(`${what} is missing and no configuration is named`);
  return config;
}

const noConfig = (): never => {
  throw new RiskCalculationError('CONFIGURATION_OUTDATED');
};

/** The file given by the caller, else the named one beside the vector file, else in `peer/` beside it (decision 6). */
function configFinder(vectorPath: string, given: string | undefined): ConfigFinder {
  const read = new Map<string, RiskV1Config>();
  return (name) => {
    const path = given ?? locate(vectorPath, name);
    let config = read.get(path);
    if (config === undefined) {
      if (!existsSync(path)) throw new TypeError(`configuration ${path} cannot be read`);
      config = riskV1Config(decodeConfigV1(readFileSync(path)));
      read.set(path, config);
    }
    return config;
  };
}

function locate(vectorPath: string, name: unknown): string {
  if (typeof name !== 'string' || name !== basename(name))
    throw new TypeError('no configuration is named, give one with --config');
  const places = [join(dirname(vectorPath), name), join(dirname(vectorPath), 'peer', name)];
  const found = places.find((place) => existsSync(place));
  if (found === undefined)
    throw new TypeError(
      `configuration ${name} is neither beside the file nor in peer/ beside it, give it with --config`,
    );
  return found;
}
