import type { ProbeKeyServiceService } from '../../gen/mesh/cwa/submission/v1/probe_key.ts';
import type { Handlers } from '../../lib/rpc/api.ts';
import type { Deps } from './deps.ts';
import { probeKeysSince } from './store/probe-key.ts';

/** The prober's keys, for the archive that only operators and the prober can fetch (decision 35). */
export const listProbeKeys =
  (d: Pick<Deps, 'pool'>): Handlers<ProbeKeyServiceService>['listProbeKeys'] =>
  async ({ fromHour }) => {
    const rows = await probeKeysSince(d.pool, fromHour);
    return { keys: rows.map((row) => ({ ...row, keyData: Buffer.from(row.keyData) })) };
  };
