import type { Deps } from '../deps.ts';
import type { Publisher } from '../publisher.ts';
import { SigningError } from '../signer.ts';

/** Without signatures the run goes on with what needs none, and counts as failed; any other error passes through. */
export function noteSigningFault({ log }: Pick<Deps, 'log'>, publisher: Publisher, error: unknown): void {
  if (!(error instanceof SigningError)) throw error;
  publisher.fail();
  log.error('signing-failed', { setting: error.setting, reason: error.reason });
}
