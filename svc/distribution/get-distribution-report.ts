import { type DistributionServiceService, ExclusionRule } from '../../gen/mesh/cwa/distribution/v1/distribution.ts';
import type { Handlers } from '../../lib/rpc/api.ts';
import type { Deps } from './deps.ts';
import { countWaiting } from './store/key-pool.ts';
import { readExcluded, readPublishedTotals } from './store/state.ts';

const rules: Readonly<Record<string, ExclusionRule>> = {
  'transmission-risk-level': ExclusionRule.EXCLUSION_RULE_TRANSMISSION_RISK_LEVEL,
  countries: ExclusionRule.EXCLUSION_RULE_COUNTRIES,
  duplicate: ExclusionRule.EXCLUSION_RULE_DUPLICATE,
  expired: ExclusionRule.EXCLUSION_RULE_EXPIRED,
};

export const getDistributionReport =
  (d: Pick<Deps, 'pool'>): Handlers<DistributionServiceService>['getDistributionReport'] =>
  async () => {
    const [keysWaiting, totals, excluded] = await Promise.all([
      countWaiting(d.pool),
      readPublishedTotals(d.pool),
      readExcluded(d.pool),
    ]);
    return {
      keysWaiting,
      keysPublished: totals.real,
      paddingKeysPublished: totals.padding,
      excluded: excluded.map(({ rule, key_count: keyCount }) => ({
        rule: rules[rule] ?? ExclusionRule.EXCLUSION_RULE_UNSPECIFIED,
        keyCount,
      })),
    };
  };
