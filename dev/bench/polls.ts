import type { Pool } from '../../lib/db/pool.ts';
import { openBenchMesh, openBenchPool } from './bench-mesh.ts';
import type { Bench } from './bench.ts';
import { loadFigures, runLoad } from './load/run-load.ts';
import { seededUuidSql } from './load/seeded-uuid.ts';

const tokens = 100_000;
const rowsPerInsert = 25_000;
export const tokenSeed = 'token';
const hashedGuidSql = `encode(sha256(convert_to('guid' || n, 'UTF8')), 'hex')`;

/** Polls of test results a second: registered phones whose laboratory has reported, each asking in turn. */
export const polls: Bench = async (run) => {
  const mesh = await openBenchMesh(run);
  run.progress(`seeding ${tokens.toLocaleString('en-US')} registration tokens and results`);
  const now = mesh.clock.now();
  await seedSessions(openBenchPool(run, mesh, 'VERIFICATION'), tokens, now);
  await seedResults(openBenchPool(run, mesh, 'TEST_RESULT'), tokens, now);
  run.progress('loading for 25 s');
  const load = await runLoad(run, mesh, {
    connections: 100,
    expectedStatus: 200,
    requests: { kind: 'polls', seed: tokenSeed, count: tokens },
  });
  return loadFigures('polls', 'polls', load, { atLeast: 5_000 });
};

export async function seedSessions(verification: Pool, count: number, now: Date): Promise<void> {
  for (let from = 0; from < count; from += rowsPerInsert) {
    await verification.query(
      `insert into session (token_hash, created_at, hashed_guid)
       select sha256(convert_to(${seededUuidSql('$1::text', 'n')}, 'UTF8')), $4, ${hashedGuidSql}
       from generate_series($2::int, $3::int) as n`,
      [tokenSeed, from, from + rowsPerInsert - 1, now],
    );
  }
  await verification.query('vacuum (analyze) session');
}

/** Raw PCR codes 1 to 3 in turn, or all of them positive. */
export async function seedResults(testResult: Pool, count: number, now: Date, allPositive = false): Promise<void> {
  for (let from = 0; from < count; from += rowsPerInsert) {
    await testResult.query(
      `insert into test_result (result_id, family, result, result_date, lab_id, submitter, created_at)
       select ${hashedGuidSql}, 1, case when $4 then 2 else n % 3 + 1 end, $3, 'lab-of-the-benchmark', sha256('lab'), $3
       from generate_series($1::int, $2::int) as n`,
      [from, from + rowsPerInsert - 1, now, allPositive],
    );
  }
  await testResult.query('vacuum (analyze) test_result');
}
