import type { Checks } from './faults.ts';
import { type ConfigurationSource, defaultConfiguration, placeholderDigest } from './source.ts';

/** Elements of lists that are empty in the published defaults. */
const elements: Readonly<Record<string, unknown>> = {
  'keyDownload.revokedDayPackages': { region: '', date: '', etag: '' },
  'keyDownload.revokedHourPackages': { region: '', date: '', hour: 0, etag: '' },
  'keyDownload.revokedTraceWarningPackages': { etag: '' },
  'presenceTracing.revokedTraceLocationVersions': 0,
};

/** Objects whose names are whole numbers and may be others than those of the defaults. */
const maps = /\.(daysSinceOnsetToInfectiousness|infectiousnessForDaysSinceOnsetOfSymptoms|\w+Weights)$/;

/**
 * Every field of the defaults is there with a value of its kind, and no other: a misspelt name would otherwise change
 * nothing and be noticed by nobody. Field for field, before any rule is looked at.
 */
export function checkShape(source: ConfigurationSource, check: Checks): void {
  compare('', source, defaultConfiguration(placeholderDigest), check);
}

function compare(field: string, value: unknown, model: unknown, check: Checks): void {
  // JSON has no name for infinity, but 1e999 reads as one.
  const fits = kindOf(value) === kindOf(model) && (typeof value !== 'number' || Number.isFinite(value));
  check.holds(field === '' ? 'configuration' : field, value ?? null, 'INVALID_VALUES', fits);
  if (!fits) return;
  if (Array.isArray(value) && Array.isArray(model)) {
    const element: unknown = model[0] ?? elements[field] ?? elementOfOtherVersion(field);
    for (const [i, one] of value.entries()) compare(`${field}[${i}]`, one, element, check);
  } else if (isObject(value) && isObject(model)) {
    const isMap = maps.test(field);
    for (const [name, one] of Object.entries(value)) {
      const path = field === '' ? name : `${field}.${name}`;
      if (isMap) check.holds(path, one, 'UNKNOWN_FIELD', /^-?\d+$/.test(name));
      const known = isMap ? 0 : model[name];
      check.holds(path, one ?? null, 'UNKNOWN_FIELD', known !== undefined);
      if (known !== undefined) compare(path, one, known, check);
    }
    if (isMap) return;
    for (const name of Object.keys(model)) {
      check.holds(field === '' ? name : `${field}.${name}`, null, 'MISSING', value[name] !== undefined);
    }
  }
}

/** The filters of apps before 1.15 are empty for later ones. */
function elementOfOtherVersion(field: string): unknown {
  const name = /^riskCalculation\.v2\.(\w+)$/.exec(field)?.[1];
  const { v1 } = defaultConfiguration(placeholderDigest).riskCalculation;
  return name === undefined ? undefined : (v1 as unknown as Record<string, unknown[]>)[name]?.[0];
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

const isObject = (value: unknown): value is Record<string, unknown> => kindOf(value) === 'object';
