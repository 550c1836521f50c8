import type { StoredResult, TestResultServiceService } from '../../gen/mesh/cwa/test_result/v1/test_result.ts';
import type { Handlers } from '../../lib/rpc/api.ts';
import { invalidArgument } from '../../lib/rpc/errors.ts';
import type { Deps } from './deps.ts';
import { phoneCode } from './result-code.ts';
import { parseId } from './result-id.ts';
import { readResults } from './store.ts';

type GetResults = Handlers<typeof TestResultServiceService>['getResults'];

const maxIds = 10_000;

/** Looks up for phones. An id that nothing is stored under is not an error and leaves no trace (decision 22). */
export const getResults =
  (d: Deps): GetResults =>
  async ({ ids: texts }) => {
    if (texts.length > maxIds) throw invalidArgument('TOO_MANY_IDS');
    const ids = texts.map(parseId);
    const rows = await readResults(d.pool, [...new Set(ids.filter((id) => id !== undefined))]);
    const results = new Map<string, StoredResult>(
      rows.map((row) => [
        row.resultId,
        {
          found: true,
          code: phoneCode(row.result),
          sampleCollectedAt: Math.floor(row.resultDate.getTime() / 1_000),
          labId: row.labId ?? undefined,
        },
      ]),
    );
    const unknown: StoredResult = { found: false, code: 0, sampleCollectedAt: 0 };
    return { results: ids.map((id) => (id === undefined ? undefined : results.get(id)) ?? unknown) };
  };
