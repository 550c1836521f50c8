import type { DecodedKey } from '../../lib/exposure/key-export-reader.ts';
import { associatedMetadataKey, cryptMetadata, identifier } from '../crypto.ts';
import type { AttenuationThresholds } from '../exposures-v1.ts';
import { Matcher } from '../matcher.ts';
import type { Sighting } from '../sighting.ts';
import { DEFAULT_KEYS_DATA_MAPPING, type KeysDataMapping } from '../windows.ts';
import { asList, asNumber, asObject, differences, fromHex, type JsonObject, unknownFields } from './vector-case.ts';

/** Thresholds of the expected exposures of version 1, unless a scenario names its own. */
const THRESHOLDS: AttenuationThresholds = { low: 55, high: 63 };

const KEY_NUMBERS = [
  'rollingStartIntervalNumber',
  'rollingPeriod',
  'transmissionRiskLevel',
  'reportType',
  'daysSinceOnsetOfSymptoms',
] as const;

/** Sightings and a key in, windows and encounters out, everything in order of time (P section 2). */
export function checkScenario(scenario: JsonObject): string[] {
  const faults = unknownFields(scenario, ['tek', 'mapping', 'sightings', 'expected', 'thresholds']);
  const key = readKey(asObject(scenario['tek'], 'tek'), faults);
  const matcher = new Matcher();
  for (const [i, entry] of asList(scenario['sightings'], 'sightings').entries()) {
    const path = `sightings[${i}]`;
    matcher.addSighting(readSighting(asObject(entry, path), path, key, faults));
  }
  const mapping = readMapping(scenario['mapping'], faults);
  matcher.matchKeys([key], mapping);
  return [
    ...faults,
    ...compare(asObject(scenario['expected'], 'expected'), matcher, mapping, readThresholds(scenario['thresholds'])),
  ];
}

function compare(
  expected: JsonObject,
  matcher: Matcher,
  mapping: KeysDataMapping,
  thresholds: AttenuationThresholds,
): string[] {
  const actual: JsonObject = {
    exposureWindows: matcher.timedWindows(mapping),
    exposuresV1: matcher.encounters(thresholds).flatMap(({ encounters }) => encounters),
  };
  if (Object.keys(expected).length === 0) return ['expected: names nothing to compare'];
  return differences(expected, actual, 'expected');
}

function readKey(tek: JsonObject, faults: string[]): DecodedKey {
  faults.push(...unknownFields(tek, ['keyData', ...KEY_NUMBERS]).map((fault) => `tek: ${fault}`));
  const key: DecodedKey = { keyData: fromHex(tek['keyData'], 'tek.keyData') };
  for (const name of KEY_NUMBERS) {
    // Absent is not zero (P 0.4); null is how JSON may say absent.
    if (tek[name] !== undefined && tek[name] !== null) key[name] = asNumber(tek[name], `tek.${name}`);
  }
  return key;
}

/** A sighting; what it says beside its octets (index, metadata) must agree with them. */
function readSighting(entry: JsonObject, path: string, key: DecodedKey, faults: string[]): Sighting {
  const known = ['rpiIndex', 'rpi', 'aem', 'metadata', 'rssi', 'epochSeconds', 'previousScanEpochSeconds'];
  faults.push(...unknownFields(entry, known).map((fault) => `${path}: ${fault}`));
  const { keyData = Buffer.alloc(0), rollingStartIntervalNumber: start = 0 } = key;
  const rpiIndex = entry['rpiIndex'];
  const derived =
    typeof rpiIndex === 'number' && rpiIndex >= 0 && keyData.length === 16
      ? identifier(keyData, start + rpiIndex)
      : undefined;
  const rpi = entry['rpi'] == null ? derived : fromHex(entry['rpi'], `${path}.rpi`);
  if (rpi === undefined) throw new TypeError(`${path} has neither rpi nor rpiIndex`);
  if (derived !== undefined && !derived.equals(rpi)) faults.push(`${path}.rpi is not the identifier of its rpiIndex`);
  return {
    rpi,
    aem: readAem(entry, path, keyData, rpi, faults),
    rssi: asNumber(entry['rssi'], `${path}.rssi`),
    epochSeconds: asNumber(entry['epochSeconds'], `${path}.epochSeconds`),
    previousScanEpochSeconds: asNumber(entry['previousScanEpochSeconds'] ?? 0, `${path}.previousScanEpochSeconds`),
  };
}

function readAem(entry: JsonObject, path: string, keyData: Buffer, rpi: Buffer, faults: string[]): Buffer {
  const given = entry['aem'] == null ? undefined : fromHex(entry['aem'], `${path}.aem`);
  if (entry['metadata'] == null) return given ?? Buffer.alloc(0);
  const aem = cryptMetadata(associatedMetadataKey(keyData), rpi, fromHex(entry['metadata'], `${path}.metadata`));
  if (given !== undefined && !given.equals(aem)) faults.push(`${path}.aem is not the encrypted metadata`);
  return given ?? aem;
}

function readMapping(value: unknown, faults: string[]): KeysDataMapping {
  if (value === undefined) return DEFAULT_KEYS_DATA_MAPPING;
  const mapping = asObject(value, 'mapping');
  faults.push(...unknownFields(mapping, Object.keys(DEFAULT_KEYS_DATA_MAPPING)).map((fault) => `mapping: ${fault}`));
  return { ...DEFAULT_KEYS_DATA_MAPPING, ...(mapping as Partial<KeysDataMapping>) };
}

function readThresholds(value: unknown): AttenuationThresholds {
  if (value === undefined) return THRESHOLDS;
  if (Array.isArray(value))
    return { low: asNumber(value[0], 'thresholds[0]'), high: asNumber(value[1], 'thresholds[1]') };
  const { low, lower, high, upper } = asObject(value, 'thresholds');
  return { low: asNumber(low ?? lower, 'thresholds.low'), high: asNumber(high ?? upper, 'thresholds.high') };
}
