import { inTx } from '../../../lib/db/tx.ts';
import type { Deps } from '../deps.ts';
import { signedBy } from '../signed-archive.ts';
import { readNewestConfiguration } from '../store/configuration.ts';
import { readReported, rememberReported } from '../store/reported-change.ts';
import { lockState } from '../store/state.ts';

/** Tells the security feed when other keys sign than before; names of keys are public. */
export const reportSigningKeys = (d: Deps, runNumber: number): Promise<void> =>
  reportChange(d, runNumber, 'signing-keys', signedBy(d.signers));

/** Tells the security feed which version of the app configuration is out, and whether it brought an earlier one back. */
export async function reportConfiguration(d: Deps, runNumber: number): Promise<void> {
  const newest = await readNewestConfiguration(d.pool);
  if (newest === undefined) return;
  const what = newest.restores === null ? 'app-configuration' : 'app-configuration-rollback';
  await reportChange(d, runNumber, 'app-configuration', String(newest.version), what);
}

/** Reported first and remembered then: a run that dies in between makes the next one say it again. */
async function reportChange(d: Deps, runNumber: number, subject: string, version: string, what = subject) {
  if ((await readReported(d.pool, subject)) === version) return;
  d.security.report({ type: 'configuration-changed', what, version });
  await inTx(d.pool, 'remember-reported', async (tx) => {
    await lockState(tx, runNumber);
    await rememberReported(tx, subject, version);
  });
}
