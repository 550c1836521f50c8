import type { StoredResult } from '../../gen/mesh/cwa/test_result/v1/test_result.ts';
import {
  type GetTestResultOutcome,
  GetTestResultRefusal,
  type RegistrationServiceService,
} from '../../gen/mesh/cwa/verification/v1/verification.ts';
import type { Handlers } from '../../lib/rpc/api.ts';
import type { Deps } from './deps.ts';
import { lookUpHashes } from './look-up-hashes.ts';
import { isPending, positive } from './result-code.ts';
import { sessionsOf } from './sessions-of.ts';
import type { SessionRow } from './store/session.ts';

type GetTestResults = Handlers<typeof RegistrationServiceService>['getTestResults'];

/** Answers what test-result holds now; nothing of it is kept here (S 2.3, decision 22). */
export const getTestResults =
  (d: Deps): GetTestResults =>
  async ({ registrationTokens }, call) => {
    const sessions = await sessionsOf(d, registrationTokens);
    const ids = sessions.flatMap((session) => (session === undefined ? [] : hashesOf(session, d)));
    const results = await lookUpHashes(d, ids, call);
    return { outcomes: sessions.map((session) => outcomeOf(session, results, d)) };
  };

function hashesOf(session: SessionRow, d: Deps): string[] {
  const dob = d.rules.dobCheckDisabled ? null : session.hashedGuidDob;
  return [session.hashedGuid, dob].filter((hash) => hash !== null);
}

function outcomeOf(
  session: SessionRow | undefined,
  results: ReadonlyMap<string, StoredResult> | undefined,
  d: Deps,
): GetTestResultOutcome {
  if (session === undefined) return refused(GetTestResultRefusal.GET_TEST_RESULT_REFUSAL_UNKNOWN_TOKEN);
  const createdAt = Math.floor(session.createdAt.getTime() / 1_000);
  if (session.hashedGuid === null) return answered({ code: positive, sampleCollectedAt: createdAt });
  if (results === undefined) return refused(GetTestResultRefusal.GET_TEST_RESULT_REFUSAL_UNAVAILABLE);

  const [result, withDob] = hashesOf(session, d).map((hash) => results.get(hash));
  // A lab may have delivered under one of the two hashes alone, so pending contradicts nothing (S 7.1).
  if (result && withDob && !isPending(result) && !isPending(withDob) && result.code !== withDob.code) {
    return refused(GetTestResultRefusal.GET_TEST_RESULT_REFUSAL_DATE_OF_BIRTH_MISMATCH);
  }
  if (!result?.found) return answered({ code: 0, sampleCollectedAt: createdAt });
  return answered({ code: result.code, sampleCollectedAt: result.sampleCollectedAt, labId: result.labId });
}

const answered = (value: {
  code: number;
  sampleCollectedAt: number;
  labId?: string | undefined;
}): GetTestResultOutcome => ({
  outcome: { $case: 'testResult', value },
});

const refused = (value: GetTestResultRefusal): GetTestResultOutcome => ({ outcome: { $case: 'refused', value } });
