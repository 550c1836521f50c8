import { createHash } from 'node:crypto';
import { inTx } from '../../../lib/db/tx.ts';
import type { Deps } from '../deps.ts';
import {
  addConfigurationVersion,
  type ConfigurationRow,
  endRollback,
  readConfigurationFiles,
  readRollback,
  takeUpRollback,
} from '../store/configuration.ts';
import { lockState } from '../store/state.ts';
import { buildConfiguration, type ConfigurationFiles } from './build.ts';

/**
 * The files that this run publishes, kept as a version when they differ from the newest one: those of the configured
 * source, or those of an earlier version that an operator asked for. A rollback holds until something else is
 * configured: a deployment of new values wins over it, a restart with the old ones does not.
 * @throws ConfigurationFault when the configured source breaks a rule
 */
export async function chooseConfiguration(d: Deps, runNumber: number): Promise<ConfigurationFiles> {
  const configured = buildConfiguration(d.configuration, d.rules);
  const hash = configurationHash(configured);
  return inTx(d.pool, 'choose-configuration', async (tx) => {
    await lockState(tx, runNumber);
    const at = d.clock.now();
    const rollback = await readRollback(tx);
    if (rollback && (rollback.instead_of ?? hash) === hash) {
      const row = await readConfigurationFiles(tx, rollback.version);
      if (row === undefined) throw new Error('the version of a rollback is missing');
      await takeUpRollback(tx, hash);
      const files = filesOf(row);
      await addConfigurationVersion(tx, { files: row, hash: configurationHash(files), at, restores: rollback.version });
      return files;
    }
    if (rollback) {
      await endRollback(tx);
      d.log.info('configuration-rollback-ended');
    }
    await addConfigurationVersion(tx, { files: rowOf(configured), hash, at, restores: null });
    return configured;
  });
}

export function filesOf(row: ConfigurationRow): ConfigurationFiles {
  return { v1: row.v1, androidV1: row.android_v1, iosV1: row.ios_v1, androidV2: row.android_v2, iosV2: row.ios_v2 };
}

function rowOf(files: ConfigurationFiles): ConfigurationRow {
  const { v1, androidV1, iosV1, androidV2, iosV2 } = files;
  return { v1, android_v1: androidV1, ios_v1: iosV1, android_v2: androidV2, ios_v2: iosV2 };
}

/** SHA-256 over the SHA-256 of each file. */
function configurationHash({ v1, androidV1, iosV1, androidV2, iosV2 }: ConfigurationFiles): string {
  const all = createHash('sha256');
  for (const file of [v1, androidV1, iosV1, androidV2, iosV2]) all.update(createHash('sha256').update(file).digest());
  return all.digest('hex');
}
