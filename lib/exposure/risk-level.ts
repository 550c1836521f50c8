/** Report types of the export format (D 1.2). */
export const REPORT_TYPE = {
  unknown: 0,
  confirmedTest: 1,
  confirmedClinicalDiagnosis: 2,
  selfReport: 3,
  recursive: 4,
  revoked: 5,
} as const;

export const INFECTIOUSNESS = { none: 0, standard: 1, high: 2 } as const;

/** Given to a key whose days since onset are in no row of the table (S 1.6). */
const DEFAULT_TRANSMISSION_RISK_LEVEL = 1;

const DSOS_BY_TRL = [3986, 3992, 3993, 3994, 4000, 3995, 3996, 3997] as const;

/** S 1.6: first days since onset of a row, then one level per consecutive day. */
const TRL_ROWS: readonly (readonly [number, string])[] = [
  [-5, '246788865322'],
  [194, '235788875432'],
  [294, '3458887765322'],
  [393, '245788765432'],
  [492, '2356887754322'],
  [591, '2346787764432'],
  [690, '23456777654322'],
  [790, '24567776543322'],
  [889, '23456776554322'],
  [988, '234566666543322'],
  [1087, '2345566655443222'],
  [1186, '2344566655443322'],
  [1286, '2345555555433222'],
  [1386, '345555555443322'],
  [1486, '445555544433222'],
  [1586, '44555544433322'],
  [1686, '44554444433222'],
  [1786, '44444444333222'],
  [1992, '235788865'],
  [2997, '2344'],
  [3992, '234677765'],
];

const TRL_BY_DSOS: ReadonlyMap<number, number> = new Map(
  TRL_ROWS.flatMap(([first, levels]) => Array.from(levels, (level, i) => [first + i, Number(level)] as const)),
);

/** Days since onset for a key that came with a transmission risk level only (S 1.6). Level 1 to 8. */
export function daysSinceOnsetFromLevel(transmissionRiskLevel: number): number {
  const days = DSOS_BY_TRL[transmissionRiskLevel - 1];
  if (days === undefined) throw new RangeError('transmission risk level is outside 1..8');
  return days;
}

/** Transmission risk level for a key that came with days since onset only (S 1.6). */
export function levelFromDaysSinceOnset(
  daysSinceOnsetOfSymptoms: number,
  defaultLevel: number = DEFAULT_TRANSMISSION_RISK_LEVEL,
): number {
  return TRL_BY_DSOS.get(daysSinceOnsetOfSymptoms) ?? defaultLevel;
}

/** Both risk fields of a received key; what was given is kept, what is missing is derived (S 1.6). */
export function completeRiskFields(given: {
  transmissionRiskLevel?: number | undefined;
  daysSinceOnsetOfSymptoms?: number | undefined;
}): { transmissionRiskLevel: number; daysSinceOnsetOfSymptoms: number } | undefined {
  const { transmissionRiskLevel: level, daysSinceOnsetOfSymptoms: days } = given;
  if (level !== undefined) {
    return { transmissionRiskLevel: level, daysSinceOnsetOfSymptoms: days ?? daysSinceOnsetFromLevel(level) };
  }
  if (days === undefined) return undefined;
  return { transmissionRiskLevel: levelFromDaysSinceOnset(days), daysSinceOnsetOfSymptoms: days };
}

/**
 * Report type and days since onset of a published key: both say the transmission risk level once more, in
 * words that phones can use, and replace what was received (D 2.4, P S-8). Level 1 to 8.
 */
export function publishedFields(transmissionRiskLevel: number): {
  reportType: number;
  daysSinceOnsetOfSymptoms: number;
} {
  const pair = Math.floor((transmissionRiskLevel - 1) / 2);
  if (!Number.isInteger(transmissionRiskLevel) || pair < 0 || pair > 3) {
    throw new RangeError('transmission risk level is outside 1..8');
  }
  return {
    reportType: REPORT_TYPE.recursive - pair,
    daysSinceOnsetOfSymptoms: transmissionRiskLevel % 2 === 1 ? 1 : 2,
  };
}

/** Offsets as the configuration serves them (D 3.4 `trlEncoding`). */
export interface RiskLevelEncoding {
  infectiousnessOffsetStandard: number;
  infectiousnessOffsetHigh: number;
  reportTypeOffsetRecursive: number;
  reportTypeOffsetSelfReport: number;
  reportTypeOffsetConfirmedClinicalDiagnosis: number;
  reportTypeOffsetConfirmedTest: number;
}

export const DEFAULT_RISK_LEVEL_ENCODING: RiskLevelEncoding = {
  infectiousnessOffsetStandard: 1,
  infectiousnessOffsetHigh: 2,
  reportTypeOffsetRecursive: 0,
  reportTypeOffsetSelfReport: 2,
  reportTypeOffsetConfirmedClinicalDiagnosis: 4,
  reportTypeOffsetConfirmedTest: 6,
};

/** What a phone makes of report type and infectiousness (P R2-4); undefined for a report type that carries no level. */
export function unpackRiskLevel(
  reportType: number,
  infectiousness: number,
  encoding: RiskLevelEncoding = DEFAULT_RISK_LEVEL_ENCODING,
): number | undefined {
  const offsets: Readonly<Record<number, number>> = {
    [REPORT_TYPE.recursive]: encoding.reportTypeOffsetRecursive,
    [REPORT_TYPE.selfReport]: encoding.reportTypeOffsetSelfReport,
    [REPORT_TYPE.confirmedClinicalDiagnosis]: encoding.reportTypeOffsetConfirmedClinicalDiagnosis,
    [REPORT_TYPE.confirmedTest]: encoding.reportTypeOffsetConfirmedTest,
  };
  const offset = offsets[reportType];
  if (offset === undefined) return undefined;
  const high = infectiousness === INFECTIOUSNESS.high;
  return offset + (high ? encoding.infectiousnessOffsetHigh : encoding.infectiousnessOffsetStandard);
}
