import type { Checks } from './faults.ts';

/** Every range of the configuration, wherever it stands, begins before it ends (D 3.5 BETTER). */
export function checkRanges(field: string, value: unknown, check: Checks): void {
  if (typeof value !== 'object' || value === null) return;
  if ('min' in value && 'max' in value && 'minExclusive' in value) {
    const { min, max } = value as { min: number; max: number };
    check.holds(field, value, 'MIN_GREATER_THAN_MAX', min <= max);
    return;
  }
  const isList = Array.isArray(value);
  for (const [name, one] of Object.entries(value)) {
    checkRanges(isList ? `${field}[${name}]` : field === '' ? name : `${field}.${name}`, one, check);
  }
}
