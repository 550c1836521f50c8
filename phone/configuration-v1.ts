import type { ConfigV1 } from '../lib/exposure/app-config.ts';
import type { RiskV1Config } from './risk-v1.ts';

/** What risk v1 needs, from the v1 application configuration; scores in the order of P R1-1. */
export function riskV1Config(config: ConfigV1): RiskV1Config {
  const { transmission: t, duration: d, daysSinceLastExposure: s, attenuation: a } = config.exposureConfig ?? {};
  const {
    thresholds,
    weights,
    defaultBucketOffset = 0,
    riskScoreNormalizationDivisor = 0,
  } = config.attenuationDuration ?? {};
  return {
    minRiskScore: config.minRiskScore,
    scores: {
      transmission: scores(
        t?.appDefined1,
        t?.appDefined2,
        t?.appDefined3,
        t?.appDefined4,
        t?.appDefined5,
        t?.appDefined6,
        t?.appDefined7,
        t?.appDefined8,
      ),
      duration: scores(
        d?.eq0Min,
        d?.gt0Le5Min,
        d?.gt5Le10Min,
        d?.gt10Le15Min,
        d?.gt15Le20Min,
        d?.gt20Le25Min,
        d?.gt25Le30Min,
        d?.gt30Min,
      ),
      daysSinceExposure: scores(
        s?.ge14Days,
        s?.ge12Lt14Days,
        s?.ge10Lt12Days,
        s?.ge8Lt10Days,
        s?.ge6Lt8Days,
        s?.ge4Lt6Days,
        s?.ge2Lt4Days,
        s?.ge0Lt2Days,
      ),
      attenuation: scores(
        a?.gt73Dbm,
        a?.gt63Le73Dbm,
        a?.gt51Le63Dbm,
        a?.gt33Le51Dbm,
        a?.gt27Le33Dbm,
        a?.gt15Le27Dbm,
        a?.gt10Le15Dbm,
        a?.le10Dbm,
      ),
    },
    thresholds: { low: thresholds?.lower ?? 0, high: thresholds?.upper ?? 0 },
    weights: { low: weights?.low ?? 0, mid: weights?.mid ?? 0, high: weights?.high ?? 0 },
    defaultBucketOffset,
    riskScoreNormalizationDivisor,
    classes: (config.riskScoreClasses?.riskClasses ?? []).map(({ label, min, max }) => ({ label, min, max })),
  };
}

function scores(...values: (number | undefined)[]): number[] {
  return values.map((value) => value ?? 0);
}
