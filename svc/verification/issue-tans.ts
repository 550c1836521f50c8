import type { StoredResult } from '../../gen/mesh/cwa/test_result/v1/test_result.ts';
import {
  type IssueTanOutcome,
  IssueTanRefusal,
  type RegistrationServiceService,
} from '../../gen/mesh/cwa/verification/v1/verification.ts';
import { inTx } from '../../lib/db/tx.ts';
import type { Handlers } from '../../lib/rpc/api.ts';
import { countTans } from './counts.ts';
import type { Deps } from './deps.ts';
import { togetherOrItemByItem } from './item-by-item.ts';
import { after, lifetimes } from './lifetimes.ts';
import { lookUpHashes } from './look-up-hashes.ts';
import { isPositive } from './result-code.ts';
import { sessionsOf } from './sessions-of.ts';
import type { SessionRow } from './store/session.ts';
import { dropOpenTans, insertTans, lockSessions, type NewTan } from './store/tan.ts';
import { storedHash } from './stored-hash.ts';

type IssueTans = Handlers<typeof RegistrationServiceService>['issueTans'];

/**
 * Issues one TAN a session, for a positive result of this moment or a teleTAN (S 2.4). A phone that asks twice in one
 * list gets the same TAN twice, so that either answer serves it.
 */
export const issueTans =
  (d: Deps): IssueTans =>
  async ({ registrationTokens }, call) => {
    const sessions = await sessionsOf(d, registrationTokens);
    const hashes = sessions.flatMap((session) => session?.hashedGuid ?? []);
    const results = await lookUpHashes(d, hashes, call);
    const refusals = sessions.map((session) => refusalOf(session, results));

    const entitled = new Map<number, SessionRow>();
    sessions.forEach((session, i) => {
      if (session !== undefined && refusals[i] === undefined) entitled.set(session.id, session);
    });
    const unanswered: IssueTanOutcome = refused(IssueTanRefusal.ISSUE_TAN_REFUSAL_UNAVAILABLE);
    const issued = await togetherOrItemByItem([...entitled.values()], (some) => issue(d, some), unanswered, d.log);
    countTans(d, 'issued', issued.filter(({ outcome }) => outcome?.$case === 'tan').length, call);
    const bySession = new Map([...entitled.keys()].map((id, i) => [id, issued[i] as IssueTanOutcome]));
    return {
      outcomes: sessions.map((session, i) => {
        const refusal = refusals[i];
        return refusal === undefined ? (bySession.get(session?.id ?? 0) ?? unanswered) : refused(refusal);
      }),
    };
  };

function refusalOf(
  session: SessionRow | undefined,
  results: ReadonlyMap<string, StoredResult> | undefined,
): IssueTanRefusal | undefined {
  if (session === undefined) return IssueTanRefusal.ISSUE_TAN_REFUSAL_UNKNOWN_TOKEN;
  if (session.hashedGuid === null) return undefined;
  if (results === undefined) return IssueTanRefusal.ISSUE_TAN_REFUSAL_UNAVAILABLE;
  const result = results.get(session.hashedGuid);
  return result !== undefined && isPositive(result) ? undefined : IssueTanRefusal.ISSUE_TAN_REFUSAL_NOT_POSITIVE;
}

/** Counts and issues in one transaction; a TAN that was not reserved yet is replaced. */
async function issue(d: Deps, sessions: readonly SessionRow[]): Promise<IssueTanOutcome[]> {
  const now = d.clock.now();
  const ids = sessions.map((session) => session.id);
  return inTx(d.pool, 'issue-tans', async (tx) => {
    const redeemed = await lockSessions(tx, ids);
    const reserved = await dropOpenTans(tx, ids);
    const tans: NewTan[] = [];
    const outcomes = sessions.map((session): IssueTanOutcome => {
      const spent = redeemed.get(session.id);
      // Purged since we looked.
      if (spent === undefined) return refused(IssueTanRefusal.ISSUE_TAN_REFUSAL_UNKNOWN_TOKEN);
      if (spent + (reserved.get(session.id) ?? 0) >= d.rules.maxRedeemedTans) {
        return refused(IssueTanRefusal.ISSUE_TAN_REFUSAL_LIMIT_REACHED);
      }
      const tan = d.random.uuid();
      tans.push({ hash: storedHash(tan), sessionId: session.id, teleTanType: session.teleTanType });
      return { outcome: { $case: 'tan', value: tan } };
    });
    if (tans.length > 0) await insertTans(tx, tans, now, after(now, lifetimes.tanValid));
    return outcomes;
  });
}

const refused = (value: IssueTanRefusal): IssueTanOutcome => ({ outcome: { $case: 'refused', value } });
