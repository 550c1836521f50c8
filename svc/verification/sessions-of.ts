import { UUID_PATTERN } from '../../lib/exposure/token-format.ts';
import { invalidArgument } from '../../lib/rpc/errors.ts';
import type { Deps } from './deps.ts';
import { before, lifetimes } from './lifetimes.ts';
import { findSessions, type SessionRow } from './store/session.ts';
import { storedHash } from './stored-hash.ts';

const maxTokens = 5_000;

/**
 * The sessions of registration tokens, in their order; undefined for one that is malformed, unknown or past its time,
 * purged or not. Malformed ones do not reach the database.
 */
export async function sessionsOf(d: Deps, tokens: readonly string[]): Promise<(SessionRow | undefined)[]> {
  if (tokens.length > maxTokens) throw invalidArgument('TOO_MANY_ITEMS');
  const formed = tokens.flatMap((token, i) => (UUID_PATTERN.test(token) ? [i] : []));
  const found = await findSessions(
    d.pool,
    formed.map((i) => storedHash(tokens[i] as string)),
    before(d.clock.now(), lifetimes.session),
  );
  const sessions = new Array<SessionRow | undefined>(tokens.length).fill(undefined);
  formed.forEach((token, i) => {
    sessions[token] = found[i];
  });
  return sessions;
}
