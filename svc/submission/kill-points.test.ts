import { afterAll, beforeAll, expect, test } from 'vitest';
import { UploadStatus } from '../../gen/mesh/cwa/submission/v1/submission.ts';
import { openTestDatabase, type TestDatabase } from '../../lib/testing/database.ts';
import { inMemoryTanService } from './fixtures/in-memory-tan-service.ts';
import { type FailureKind, type PlannedFailures, plannedFailures } from './fixtures/planned-failures.ts';
import { aKey, aPayload, type TestService, testService } from './fixtures/uploads.ts';
import { confirmStored } from './jobs/confirm-stored.ts';

/**
 * The kill-point test of the TAN protocol on submission's side: every await of every journey fails once before and once
 * after it took effect, alone or as the death of the process. Then the phone repeats itself.
 */

const { UPLOAD_STATUS_STORED: STORED, UPLOAD_STATUS_TAN_REFUSED: REFUSED } = UploadStatus;

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase('submission');
});
afterAll(() => database.close());

interface Scene {
  readonly service: TestService;
  readonly failures: PlannedFailures;
  readonly tan: string;
  readonly mine: Buffer;
  readonly others: Buffer;
  readonly myKey: Buffer;
  readonly othersKey: Buffer;
}

async function scene(): Promise<Scene> {
  await database.pool.query(
    'with a as (delete from diagnosis_key), b as (delete from reservation) delete from country_set',
  );
  const tans = inMemoryTanService();
  const failures = plannedFailures(database.pool, tans);
  const service = testService(database, failures, tans);
  const [myKey, othersKey] = [aKey(), aKey()];
  return {
    service,
    failures,
    tan: tans.issue(),
    mine: aPayload({ keys: [myKey] }),
    others: aPayload({ keys: [othersKey] }),
    myKey: myKey.keyData as Buffer,
    othersKey: othersKey.keyData as Buffer,
  };
}

async function isStored(key: Buffer): Promise<boolean> {
  const { rows } = await database.pool.query('select from diagnosis_key where key_data = $1', [key]);
  return rows.length > 0;
}

/** What must hold at any moment, whatever has failed. */
async function expectNothingLost({ service, tan, myKey, othersKey }: Scene): Promise<void> {
  const [mine, others] = [await isStored(myKey), await isStored(othersKey)];
  expect(mine && others, 'one TAN paid for two uploads').toBe(false);
  if (service.verification.isSpent(tan)) expect(mine || others, 'TAN burnt, no keys').toBe(true);
  if (mine || others) expect(service.verification.isFree(tan), 'keys stored, TAN free').toBe(false);
}

async function sweep({ failures, service }: Scene): Promise<void> {
  failures.plan();
  await confirmStored(service.deps);
}

interface Journey {
  readonly name: string;
  /** Runs without failures before the journey. */
  prepare?(s: Scene): Promise<void>;
  run(s: Scene): Promise<unknown>;
}

/** Another upload with this TAN got as far as its reservation. */
const reservedByOther = async (s: Scene) => {
  s.failures.plan(1, 'before', true);
  await s.service.submit(s.tan, s.others);
};
/** Another upload with this TAN is stored but verification does not know yet. */
const storedByOther = async (s: Scene) => {
  s.failures.plan();
  const { confirmTans } = s.failures.verification;
  Object.assign(s.failures.verification, { confirmTans: () => Promise.reject(new Error('planned')) });
  await s.service.submit(s.tan, s.others);
  Object.assign(s.failures.verification, { confirmTans });
};
/** My reservation was fenced off by a rival that died before it released it. */
const abandonedByOther = async (s: Scene) => {
  s.failures.plan(1, 'before', true);
  await s.service.submit(s.tan, s.mine);
  s.failures.plan();
  const { releaseTans } = s.failures.verification;
  Object.assign(s.failures.verification, { releaseTans: () => Promise.reject(new Error('planned')) });
  await s.service.submit(s.tan, s.others);
  Object.assign(s.failures.verification, { releaseTans });
};

const journeys: Journey[] = [
  { name: 'an upload', run: (s) => s.service.submit(s.tan, s.mine) },
  { name: 'an upload whose TAN is reserved for other keys', prepare: reservedByOther, run: (s) => s.service.submit(s.tan, s.mine) },
  { name: 'an upload whose TAN was used for other keys, unconfirmed', prepare: storedByOther, run: (s) => s.service.submit(s.tan, s.mine) },
  { name: 'an upload whose own reservation was abandoned', prepare: abandonedByOther, run: (s) => s.service.submit(s.tan, s.mine) },
  {
    name: 'a list with the same TAN for two uploads and one more upload',
    run: (s) =>
      s.service.submitAll([
        { tan: s.tan, payload: s.mine },
        { tan: s.tan, payload: s.others },
        { tan: s.service.verification.issue(), payload: aPayload() },
      ]),
  },
  {
    name: 'the sweeper after an upload that could not be confirmed',
    async prepare(s) {
      await storedByOther(s);
    },
    run: (s) => confirmStored(s.service.deps).catch(() => {}),
  },
];

const kinds: [FailureKind, boolean][] = [
  ['before', false],
  ['after', false],
  ['refused', false],
  ['before', true],
  ['after', true],
];

async function pointsOf(journey: Journey): Promise<string[]> {
  const s = await scene();
  await journey.prepare?.(s);
  s.failures.plan();
  await journey.run(s);
  return [...s.failures.points];
}

async function breakAt(journey: Journey, point: number, kind: FailureKind, dead: boolean): Promise<Scene> {
  const s = await scene();
  await journey.prepare?.(s);
  s.failures.plan(point, kind, dead);
  await journey.run(s);
  await expectNothingLost(s);
  return s;
}

let count = 0;
afterAll(() => console.log(`kill points of submission: ${count} runs`));

test.each(journeys)('exactly once (decision 20): $name, failing at each await: the phone\'s retry ends well', async (journey) => {
  const points = await pointsOf(journey);
  expect(points.length).toBeGreaterThan(1);
  for (const [point] of points.entries()) {
    for (const [kind, dead] of kinds) {
      const s = await breakAt(journey, point, kind, dead);
      const othersFirst = await isStored(s.othersKey);
      s.failures.plan();
      const retry = await s.service.submit(s.tan, s.mine);
      expect(retry.status, `${points[point]} ${kind}`).toBe(othersFirst ? REFUSED : STORED);
      await sweep(s);
      await expectNothingLost(s);
      expect(s.service.verification.isSpent(s.tan)).toBe(true);
      expect(await isStored(othersFirst ? s.othersKey : s.myKey)).toBe(true);
      count++;
    }
  }
});

test.each(journeys)('exactly once (decision 20): $name, failing at each await: the sweeper alone leaves no key without a spent TAN', async (journey) => {
  const points = await pointsOf(journey);
  for (const [point] of points.entries()) {
    for (const [kind, dead] of kinds) {
      const s = await breakAt(journey, point, kind, dead);
      await sweep(s);
      await expectNothingLost(s);
      const stored = (await isStored(s.myKey)) || (await isStored(s.othersKey));
      expect(s.service.verification.isSpent(s.tan), `${points[point]} ${kind}`).toBe(stored);
      count++;
    }
  }
});

test.each(journeys.slice(0, 4))('exactly once (decision 20): $name, failing at each await, then other keys with the same TAN: one of both', async (journey) => {
  const points = await pointsOf(journey);
  for (const [point] of points.entries()) {
    for (const [kind, dead] of kinds) {
      const s = await breakAt(journey, point, kind, dead);
      const mineFirst = await isStored(s.myKey);
      s.failures.plan();
      const rival = await s.service.submit(s.tan, s.others);
      expect(rival.status, `${points[point]} ${kind}`).toBe(mineFirst ? REFUSED : STORED);
      await sweep(s);
      await expectNothingLost(s);
      expect(s.service.verification.isSpent(s.tan)).toBe(true);
      count++;
    }
  }
});
