import { type LabResultServiceService, TestFamily } from '../../gen/mesh/cwa/test_result/v1/test_result.ts';
import type { Handlers } from '../../lib/rpc/api.ts';
import { invalidArgument } from '../../lib/rpc/errors.ts';
import type { Deps } from './deps.ts';
import { isFamily, pendingCode } from './result-code.ts';
import { parseId, storedId } from './result-id.ts';
import { readResults } from './store.ts';

type LookUpResult = Handlers<typeof LabResultServiceService>['lookUpResult'];

/** A partner asks with the id it delivered or, as some had to, with that id's hash; both find it (S 3.4 [D]). */
export const lookUpResult =
  (d: Deps): LookUpResult =>
  async ({ family, id: text }) => {
    if (!isFamily(family) || family === TestFamily.TEST_FAMILY_PCR) throw invalidArgument('FAMILY');
    const id = parseId(text);
    if (id === undefined) throw invalidArgument('INVALID_ID');
    const hashed = storedId(family, id);
    const rows = (await readResults(d.pool, [hashed, id])).filter((row) => row.family === family);
    const row = rows.find(({ resultId }) => resultId === hashed) ?? rows[0];
    return { result: row?.result ?? pendingCode(family), labId: row?.labId ?? undefined };
  };
