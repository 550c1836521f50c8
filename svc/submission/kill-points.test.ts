import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UploadStatus } from '../../gen/mesh/cwa/submission/v1/submission.ts';
import type { Pool } from '../../lib/db/pool.ts';
import { secureRandom } from '../../lib/random/random.ts';
import { silentLog } from '../../lib/telemetry/log.ts';
import { silentMetrics } from '../../lib/telemetry/metrics.ts';
import { silentSecurityFeed } from '../../lib/telemetry/security.ts';
import { aCall } from '../../lib/testing/call.ts';
import { fakeClock } from '../../lib/testing/clock.ts';
import { openTestDatabase, type TestDatabase } from '../../lib/testing/database.ts';
import { confirmTans } from '../verification/confirm-tans.ts';
import type { Deps } from '../verification/deps.ts';
import { releaseTans } from '../verification/release-tans.ts';
import { reserveTans } from '../verification/reserve-tans.ts';
import { storedHash } from '../verification/stored-hash.ts';
import { inMemoryTanService } from './fixtures/in-memory-tan-service.ts';
import {
  breakAt,
  expectNothingLost,
  heal,
  isStored,
  journeys,
  killPointsOf,
  openScene,
  type Scene,
  sweep,
  type TanAuthority,
} from './fixtures/kill-scene.ts';
import { now } from './fixtures/uploads.ts';

/**
 * The kill-point test of the TAN protocol (decision 20): every await of every journey fails once before it took effect,
 * once after, and once as a refusal, alone or as the death of the process; then the phone repeats itself. Against
 * verification in memory, and against its real handlers, whose statements fail likewise.
 */

const { UPLOAD_STATUS_STORED: STORED, UPLOAD_STATUS_TAN_REFUSED: REFUSED } = UploadStatus;

let database: TestDatabase;
let far: TestDatabase;
beforeAll(async () => {
  [database, far] = await Promise.all([openTestDatabase('submission'), openTestDatabase('verification')]);
});
afterAll(() => Promise.all([database.close(), far.close()]));

const inMemory = (): TanAuthority => {
  const tans = inMemoryTanService();
  return {
    client: tans,
    issue: async () => tans.issue(),
    isFree: async (tan) => tans.isFree(tan),
    isSpent: async (tan) => tans.isSpent(tan),
  };
};

/** verification's handlers as they are, over the pool that fails; TANs are written into its table directly. */
const realHandlers = (pool: Pool): TanAuthority => {
  const deps = {
    pool,
    clock: fakeClock(now),
    random: secureRandom,
    log: silentLog,
    metrics: silentMetrics,
    security: silentSecurityFeed,
    // The handlers of TanService look at neither.
    rules: {} as Deps['rules'],
    testResult: {} as Deps['testResult'],
  };
  const [reserve, confirm, release] = [reserveTans(deps), confirmTans(deps), releaseTans(deps)];
  const count = async (condition: string, tan: string) =>
    (await far.pool.query(`select from ${condition}`, [storedHash(tan)])).rowCount;
  return {
    client: {
      reserveTans: (request) => reserve(request, aCall('submission')),
      confirmTans: (request) => confirm(request, aCall('submission')),
      releaseTans: (request) => release(request, aCall('submission')),
    },
    async issue() {
      const tan = randomUUID();
      await far.pool.query(
        `with s as (
           insert into session (token_hash, created_at, hashed_guid) values ($1, $2, $3) returning id
         ) insert into tan (hash, session_id, created_at, valid_until) select $4, id, $2, $2 + interval '14 days' from s`,
        [randomBytes(32), now, randomBytes(32).toString('hex'), storedHash(tan)],
      );
      return tan;
    },
    isFree: async (tan) => (await count('tan where hash = $1 and reservation_id is null', tan)) > 0,
    isSpent: async (tan) => (await count('tan_tombstone where tan_hash = $1', tan)) > 0,
  };
};

let runs = 0;
afterAll(() => console.log(`kill points of an upload: ${runs} runs`));

describe.each([
  { authority: 'in memory', make: inMemory },
  { authority: 'real handlers', make: realHandlers },
])('exactly once, verification $authority', ({ make }) => {
  const open = (): Promise<Scene> => openScene(database, far, make);

  test.each(journeys)("$name fails at each await: the phone's retry ends well", async (journey) => {
    for (const point of await killPointsOf(journey, open)) {
      const s = await breakAt(journey, point, open);
      const othersFirst = await isStored(s, s.othersKey);
      const { status } = await s.service.submit(s.tan, s.mine);
      expect(status, JSON.stringify(point)).toBe(othersFirst ? REFUSED : STORED);
      await sweep(s);
      await expectNothingLost(s);
      expect(await s.authority.isSpent(s.tan)).toBe(true);
      expect(await isStored(s, othersFirst ? s.othersKey : s.myKey)).toBe(true);
      runs++;
    }
  });

  test.each(journeys)(
    '$name fails at each await: the sweeper alone leaves no key without a spent TAN',
    async (journey) => {
      for (const point of await killPointsOf(journey, open)) {
        const s = await breakAt(journey, point, open);
        await sweep(s);
        await expectNothingLost(s);
        const stored = (await isStored(s, s.myKey)) || (await isStored(s, s.othersKey));
        expect(await s.authority.isSpent(s.tan), JSON.stringify(point)).toBe(stored);
        runs++;
      }
    },
  );

  test.each(journeys.slice(0, 4))(
    '$name fails at each await, then other keys with the same TAN: one of both',
    async (journey) => {
      for (const point of await killPointsOf(journey, open)) {
        const s = await breakAt(journey, point, open);
        heal(s);
        const mineFirst = await isStored(s, s.myKey);
        const { status } = await s.service.submit(s.tan, s.others);
        expect(status, JSON.stringify(point)).toBe(mineFirst ? REFUSED : STORED);
        await sweep(s);
        await expectNothingLost(s);
        expect(await s.authority.isSpent(s.tan)).toBe(true);
        runs++;
      }
    },
  );
});
