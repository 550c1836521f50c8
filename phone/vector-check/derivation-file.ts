import { INTERVALS_PER_DAY, intervalNumber } from '../../lib/exposure/intervals.ts';
import {
  associatedMetadataKey,
  cryptMetadata,
  identifier,
  paddedData,
  rollingProximityIdentifierKey,
} from '../crypto.ts';
import { attenuation, decodeMetadata } from '../metadata.ts';
import { checkScenario } from './scenario.ts';
import { checkSignature } from './signature-case.ts';
import {
  asNumber,
  differences,
  fromHex,
  isObject,
  isRemark,
  type JsonObject,
  notUnderstood,
  runCase,
  type VectorCase,
} from './vector-case.ts';

type EntryCheck = (entry: JsonObject, section: JsonObject) => readonly string[];

/** What is done with the entries of a list, by the list's name, wherever in the file it stands. */
const CHECKS: Readonly<Record<string, EntryCheck>> = {
  advertised: checkDerivation,
  observations: checkDerivation,
  cases: checkDerivation,
  rpis: checkDerivation,
  signatures: checkSignature,
  scenarios: checkScenario,
};

/** Values of a section that hold for each of its entries. */
const SECTION_VALUES = [
  'tek',
  'rpik',
  'aemk',
  'metadata',
  'rollingStartIntervalNumber',
  'rollingPeriod',
  'keyGenerationSeconds',
  'idRollingPeriodMinutes',
];

const CONSTANTS: JsonObject = {
  tekRollingPeriod: INTERVALS_PER_DAY,
  intervalSeconds: 600,
  rpikInfo: 'EN-RPIK',
  aemkInfo: 'EN-AEMK',
  rpiPrefix: 'EN-RPI',
};

/** Whether the file has a list of the format of gaen-test-vectors.json, at the top or in one of its sections. */
export function isDerivationFile(file: JsonObject): boolean {
  const holdsList = (object: JsonObject): boolean =>
    Object.entries(object).some(([key, value]) => Object.hasOwn(CHECKS, key) && Array.isArray(value));
  return holdsList(file) || Object.values(file).some((section) => isObject(section) && holdsList(section));
}

/** One case for each entry of each list, and one for everything that cannot be checked. */
export function checkDerivationFile(file: JsonObject): VectorCase[] {
  return Object.entries(file).flatMap(([name, value]) => {
    if (name === 'constants' && isObject(value)) return checkConstants(value);
    if (Array.isArray(value)) return checkList(name, name, value, file);
    if (isObject(value)) return checkSection(name, value);
    return isRemark(name, value) ? [] : [notUnderstood(name)];
  });
}

function checkSection(name: string, section: JsonObject): VectorCase[] {
  const cases = Object.entries(section).flatMap(([key, value]) => {
    if (SECTION_VALUES.includes(key) || isRemark(key, value)) return [];
    return Array.isArray(value) ? checkList(`${name} ${key}`, key, value, section) : [notUnderstood(`${name} ${key}`)];
  });
  // The values of a section are compared with each entry; without entries they are a case of their own.
  if (cases.length === 0 && section['tek'] !== undefined) return [runCase(name, () => checkDerivation({}, section))];
  return cases;
}

function checkList(name: string, listName: string, list: readonly unknown[], section: JsonObject): VectorCase[] {
  const check = Object.hasOwn(CHECKS, listName) ? CHECKS[listName] : undefined;
  if (check === undefined) return [notUnderstood(name)];
  return list.map((entry, i) => {
    const title = isObject(entry) && typeof entry['id'] === 'string' ? ` ${entry['id']}` : '';
    return runCase(`${name}[${i}]${title}`, () =>
      isObject(entry) ? check(entry, section) : ['the entry is no object'],
    );
  });
}

/** Constants are no case of the format; a wrong one is reported as a failing case. */
function checkConstants(constants: JsonObject): VectorCase[] {
  const checked = runCase('constants', () =>
    Object.entries(CONSTANTS).flatMap(([key, value]) =>
      key in constants ? differences(constants[key], value, key) : [],
    ),
  );
  return checked.ok ? [] : [checked];
}

/** Everything that an entry and its section say about one key and one interval (P 1.2, 1.3, M-8). */
function checkDerivation(entry: JsonObject, section: JsonObject): string[] {
  const sectionValues = Object.fromEntries(Object.entries(section).filter(([key]) => SECTION_VALUES.includes(key)));
  const given: JsonObject = { ...sectionValues, ...entry };
  const tek = fromHex(given['tek'], 'tek');
  const interval = intervalOf(given);
  const actual: JsonObject = {
    tek: tek.toString('hex'),
    rpik: rollingProximityIdentifierKey(tek).toString('hex'),
    aemk: associatedMetadataKey(tek).toString('hex'),
    rollingPeriod: given['rollingPeriod'],
    rollingStartIntervalNumber: given['rollingStartIntervalNumber'],
    idRollingPeriodMinutes: 10,
    ...(given['keyGenerationSeconds'] === undefined ? {} : generation(given)),
    ...(interval === undefined ? {} : derived(given, tek, interval)),
  };
  return [...differences(lowerHex(given), actual, 'value'), ...periodFault(given)];
}

function derived(given: JsonObject, tek: Buffer, interval: number): JsonObject {
  const rpi = identifier(tek, interval);
  const aemk = associatedMetadataKey(tek);
  const start = given['rollingStartIntervalNumber'];
  const values: JsonObject = {
    intervalNumber: interval,
    index: typeof start === 'number' ? interval - start : given['index'],
    paddedData: paddedData(interval).toString('hex'),
    rpi: rpi.toString('hex'),
  };
  if (given['metadata'] !== undefined)
    values['aem'] = cryptMetadata(aemk, rpi, fromHex(given['metadata'], 'metadata')).toString('hex');
  if (given['aem'] === undefined)
    return { ...values, ...(given['metadata'] === undefined ? {} : { metadata: lower(given['metadata']) }) };
  const metadata = cryptMetadata(aemk, rpi, fromHex(given['aem'], 'aem'));
  const { transmitPower, calibrationConfidence, majorVersion, minorVersion } = decodeMetadata(metadata);
  Object.assign(values, { aem: values['aem'] ?? lower(given['aem']), metadata: metadata.toString('hex') });
  Object.assign(values, { transmitPower, calibrationConfidence, majorVersion, minorVersion });
  if (given['rssi'] !== undefined) {
    const rssi = asNumber(given['rssi'], 'rssi');
    Object.assign(values, { rssi, attenuation: attenuation(transmitPower, rssi) });
  }
  return values;
}

function intervalOf(given: JsonObject): number | undefined {
  if (given['intervalNumber'] !== undefined) return asNumber(given['intervalNumber'], 'intervalNumber');
  if (given['index'] === undefined) return undefined;
  return (
    asNumber(given['rollingStartIntervalNumber'], 'rollingStartIntervalNumber') + asNumber(given['index'], 'index')
  );
}

/** The key's start is the beginning of the day of its making (P C-2). */
function generation(given: JsonObject): JsonObject {
  const seconds = asNumber(given['keyGenerationSeconds'], 'keyGenerationSeconds');
  const start = Math.floor(intervalNumber(seconds) / INTERVALS_PER_DAY) * INTERVALS_PER_DAY;
  return { keyGenerationSeconds: seconds, rollingStartIntervalNumber: start };
}

function periodFault(given: JsonObject): string[] {
  if (given['rollingPeriod'] === undefined) return [];
  const period = asNumber(given['rollingPeriod'], 'rollingPeriod');
  return period >= 1 && period <= INTERVALS_PER_DAY ? [] : ['rollingPeriod is outside 1..144'];
}

function lowerHex(given: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(given).map(([key, value]) => [key, lower(value)]));
}

function lower(value: unknown): unknown {
  return typeof value === 'string' ? value.toLowerCase() : value;
}
