/** The names of D 3.2, and three for what D 3.6 and 3.5 BETTER demand and for misspelt names. */
export type ConfigurationRule =
  | 'BLANK_LABEL'
  | 'MIN_GREATER_THAN_MAX'
  | 'VALUE_OUT_OF_BOUNDS'
  | 'INVALID_URL'
  | 'INVALID_PARTITIONING'
  | 'TOO_MANY_DECIMAL_PLACES'
  | 'INVALID_VALUES'
  | 'MISSING'
  | 'OVERLAP'
  | 'UNKNOWN_FIELD';

/** One value that may not be published. Values of the configuration are public, so they may be named. */
export interface Fault {
  readonly field: string;
  readonly value: unknown;
  readonly rule: ConfigurationRule;
}

/** The configuration breaks rules; nothing of it is published. */
export class ConfigurationFault extends Error {
  readonly faults: readonly Fault[];

  constructor(faults: readonly Fault[]) {
    super(faults.map(({ field, value, rule }) => `${field}: ${JSON.stringify(value)} breaks ${rule}`).join('\n'));
    this.name = 'ConfigurationFault';
    this.faults = faults;
  }
}

/** Collects faults; each check names the field. */
export interface Checks {
  within(field: string, value: number, min: number, max: number): void;
  whole(field: string, value: number, min: number, max: number): void;
  decimals(field: string, value: number, most: number): void;
  holds(field: string, value: unknown, rule: ConfigurationRule, isTrue: boolean): void;
}

export function checksInto(faults: Fault[]): Checks {
  const holds: Checks['holds'] = (field, value, rule, isTrue) => {
    if (!isTrue) faults.push({ field, value, rule });
  };
  const within: Checks['within'] = (field, value, min, max) =>
    holds(field, value, 'VALUE_OUT_OF_BOUNDS', typeof value === 'number' && value >= min && value <= max);
  return {
    holds,
    within,
    whole(field, value, min, max) {
      within(field, value, min, max);
      holds(field, value, 'INVALID_VALUES', Number.isInteger(value));
    },
    decimals(field, value, most) {
      const factor = 10 ** most;
      holds(field, value, 'TOO_MANY_DECIMAL_PLACES', Math.abs(Math.round(value * factor) / factor - value) < 1e-12);
    },
  };
}
