import type {
  DiagnosisKeyServiceService,
  StreamDiagnosisKeysResponse,
} from '../../gen/mesh/cwa/submission/v1/submission.ts';
import type { Handlers } from '../../lib/rpc/api.ts';
import { RpcError } from '../../lib/rpc/errors.ts';
import type { Deps } from './deps.ts';
import { allCountrySets } from './store/country.ts';
import { type KeyPage, readPage, startOf, streamBound } from './store/key-stream.ts';

/** Keys of one message, about 34 bytes each; also the window inside which they are ordered by key. */
const pageSize = 20_000;

/**
 * Every key stored by a transaction from the cursor up to the oldest one that has not ended yet; that number is the next
 * cursor. So each key comes exactly once, however transactions overlapped (docs/architecture.md, "How keys reach
 * distribution"). No transaction is held open: rows below the bound never change, only retention removes some.
 */
export const streamDiagnosisKeys = (
  d: Pick<Deps, 'pool'>,
): Handlers<DiagnosisKeyServiceService>['streamDiagnosisKeys'] =>
  async function* ({ cursor }, { signal }) {
    const bound = await streamBound(d.pool);
    // Only a database restored from elsewhere counts lower than it did; reading on would skip keys silently.
    if (cursor > bound) throw new RpcError('FAILED_PRECONDITION', 'CURSOR_AHEAD_OF_DATABASE');

    // Read after the bound was taken: no key below it can use a set that is not there yet.
    const sets = await allCountrySets(d.pool);
    const countrySets = sets.map(({ id, origin, visited }) => ({ id, origin, visitedCountries: [...visited] }));
    yield { ...noKeys, countrySets };

    const pageFrom = (position: ReturnType<typeof startOf>) => readPage(d.pool, position, bound, pageSize);
    let next = await pageFrom(startOf(cursor));
    while (next !== undefined) {
      signal.throwIfAborted();
      const { page, end } = next;
      // PostgreSQL packs the next page while this one travels.
      const following = page.keyCount < pageSize ? undefined : pageFrom(end);
      // When the reader leaves early nobody awaits it any more.
      following?.catch(() => {});
      yield { ...page, countrySets: [] };
      next = await following;
    }
    yield { ...noKeys, nextCursor: bound };
  };

const nothing = Buffer.alloc(0);
const noKeys: KeyPage & Pick<StreamDiagnosisKeysResponse, 'countrySets'> = {
  keyCount: 0,
  keyData: nothing,
  rollingStartIntervalNumber: nothing,
  rollingPeriod: nothing,
  transmissionRiskLevel: nothing,
  submissionHour: nothing,
  submissionType: nothing,
  countrySet: nothing,
  countrySets: [],
};
