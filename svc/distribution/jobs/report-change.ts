import { inTx } from '../../../lib/db/tx.ts';
import type { Deps } from '../deps.ts';
import { signedBy } from '../signed-archive.ts';
import { readNewestConfiguration } from '../store/configuration.ts';
import { readReported, rememberReported } from '../store/reported-change.ts';
import { lockState } from '../store/state.ts';

/** Tells the security feed when other keys sign than before, whatever they are called; the event has their public names. */
export function reportSigningKeys(d: Deps, runNumber: number): Promise<void> {
  const names = d.signers.map(({ info }) => `${info.verificationKeyId}-${info.verificationKeyVersion}`);
  return reportChange(d, runNumber, { subject: 'signing-keys', state: signedBy(d.signers), version: names.join(' ') });
}

/** Tells the security feed which version of the app configuration is out, and whether it brought an earlier one back. */
export async function reportConfiguration(d: Deps, runNumber: number): Promise<void> {
  const newest = await readNewestConfiguration(d.pool);
  if (newest === undefined) return;
  const version = String(newest.version);
  const what = newest.restores === null ? 'app-configuration' : 'app-configuration-rollback';
  await reportChange(d, runNumber, { subject: 'app-configuration', state: version, version, what });
}

interface Change {
  readonly subject: string;
  /** What is compared with the last report. */
  readonly state: string;
  readonly version: string;
  readonly what?: string;
}

/** Reported first and remembered then: a run that dies in between makes the next one say it again. */
async function reportChange(d: Deps, runNumber: number, { subject, state, version, what = subject }: Change) {
  if ((await readReported(d.pool, subject)) === state) return;
  d.security.report({ type: 'configuration-changed', what, version });
  await inTx(d.pool, 'remember-reported', async (tx) => {
    await lockState(tx, runNumber);
    await rememberReported(tx, subject, state);
  });
}
