import { utcDay, utcDayOfInterval } from '../lib/exposure/intervals.ts';
import type { DecodedKey } from '../lib/exposure/key-export-reader.ts';
import { INFECTIOUSNESS, REPORT_TYPE } from '../lib/exposure/risk-level.ts';
import { type AttenuationThresholds, type Encounter, encounters, type Exposure, exposureOf } from './exposures-v1.ts';
import {
  type AcceptedSighting,
  type AdmittedKey,
  byTime,
  sightingsByIdentifier,
  wellFormedKey,
  yieldsResults,
} from './matching.ts';
import { type Sighting, SightingIndex } from './sighting.ts';
import { cutWindows, infectiousnessOf, type KeysDataMapping, reportTypeOf, type TimedWindow } from './windows.ts';

const RETENTION_DAYS = 14;

/** The changes of status that a second appearance of a key may bring about (P M-15). */
const STATUS_CHANGES: ReadonlyMap<number, readonly number[]> = new Map([
  [REPORT_TYPE.selfReport, [REPORT_TYPE.confirmedTest, REPORT_TYPE.confirmedClinicalDiagnosis, REPORT_TYPE.revoked]],
  [REPORT_TYPE.confirmedClinicalDiagnosis, [REPORT_TYPE.confirmedTest, REPORT_TYPE.revoked]],
]);

interface MatchedKey {
  key: AdmittedKey;
  sightings: readonly (readonly AcceptedSighting[])[];
  reportType: number;
  statusChanged: boolean;
}

export interface MatcherOptions {
  matchRecursive?: boolean;
}

/** What this phone saw, which keys it tried, and what matched: the framework's part of the phone (P section 2). */
export class Matcher {
  readonly #options: MatcherOptions;
  #index = new SightingIndex();
  readonly #triedPeriod = new Map<string, number>();
  readonly #matched = new Map<string, MatchedKey>();

  constructor(options: MatcherOptions = {}) {
    this.#options = options;
  }

  addSighting(sighting: Sighting): void {
    this.#index.add(sighting);
  }

  /** Matches the keys of one verified file; returns how many matched for the first time (P M-2 to M-9). */
  matchKeys(keys: Iterable<DecodedKey>, mapping: KeysDataMapping): number {
    let matched = 0;
    for (const decoded of keys) {
      const key = wellFormedKey(decoded);
      if (key !== undefined && this.#matchKey(key, mapping)) matched++;
    }
    return matched;
  }

  /** Keys of field 8 of an export: they change the status of earlier matches and match nothing (P V-8). */
  reviseKeys(keys: Iterable<DecodedKey>): void {
    for (const decoded of keys) {
      const key = wellFormedKey(decoded);
      const before = key && this.#matched.get(key.keyData.toString('latin1'));
      if (key !== undefined && before !== undefined) changeStatus(before, key.reportType);
    }
  }

  /** Windows in order of time; without those that carry no risk and those that were revoked (P M-13, M-14). */
  timedWindows(mapping: KeysDataMapping): TimedWindow[] {
    return [...this.#matched.values()]
      .filter(({ reportType }) => reportType !== REPORT_TYPE.revoked)
      .flatMap((match) => {
        const infectiousness = infectiousnessOf(match.key.daysSinceOnsetOfSymptoms, mapping);
        if (infectiousness === INFECTIOUSNESS.none) return [];
        return cutWindows(byTime(match.sightings), { reportType: match.reportType, infectiousness });
      })
      .sort((a, b) => a.epochSeconds - b.epochSeconds);
  }

  /** Encounters of version 1, key by key (P M-16 to M-21). */
  encounters(thresholds: AttenuationThresholds): { key: AdmittedKey; encounters: Encounter[] }[] {
    return [...this.#matched.values()]
      .filter(({ reportType }) => reportType !== REPORT_TYPE.revoked)
      .map(({ key, sightings }) => ({ key, encounters: encounters(sightings, thresholds) }));
  }

  /** Exposures of version 1: one a person and day (P M-22). */
  exposures(thresholds: AttenuationThresholds): Exposure[] {
    return this.encounters(thresholds).flatMap(({ key, encounters: all }) => exposureOf(key, all) ?? []);
  }

  /** Erases sightings and results older than 14 days (P C-6, 2.1). */
  prune(epochSeconds: number): void {
    const oldest = utcDay(epochSeconds) - RETENTION_DAYS;
    this.#index = new SightingIndex([...this.#index.all()].filter((s) => utcDay(s.epochSeconds) >= oldest));
    for (const [id, { key }] of this.#matched) {
      if (utcDayOfInterval(key.rollingStartIntervalNumber) < oldest) this.#matched.delete(id);
    }
  }

  #matchKey(key: AdmittedKey, mapping: KeysDataMapping): boolean {
    const id = key.keyData.toString('latin1');
    const before = this.#matched.get(id);
    if (before !== undefined) {
      changeStatus(before, key.reportType);
      return false;
    }
    if (!yieldsResults(key.reportType, this.#options)) return false;
    if ((this.#triedPeriod.get(id) ?? key.rollingPeriod) !== key.rollingPeriod) return false;
    this.#triedPeriod.set(id, key.rollingPeriod);
    const sightings = sightingsByIdentifier(key, this.#index);
    if (sightings.length === 0) return false;
    this.#matched.set(id, { key, sightings, reportType: reportTypeOf(key.reportType, mapping), statusChanged: false });
    return true;
  }
}

function changeStatus(match: MatchedKey, to: number): void {
  if (match.statusChanged || STATUS_CHANGES.get(match.reportType)?.includes(to) !== true) return;
  match.reportType = to;
  match.statusChanged = true;
}
