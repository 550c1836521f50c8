import type { Pool } from '../../lib/db/pool.ts';
import { openBenchMesh, openBenchPool } from './bench-mesh.ts';
import type { Bench } from './bench.ts';
import { loadFigures, runLoad } from './load/run-load.ts';
import { seededUuidSql } from './load/seeded-uuid.ts';

const tokens = 100_000;
const rowsPerInsert = 25_000;
const seed = 'token';
const hashedGuidSql = `encode(sha256(convert_to('guid' || n, 'UTF8')), 'hex')`;

/** Polls of test results a second: registered phones whose laboratory has reported, each asking in turn. */
export const polls: Bench = async (run) => {
  const mesh = await openBenchMesh(run);
  run.progress(`seeding ${tokens.toLocaleString('en-US')} registration tokens and results`);
  const now = mesh.clock.now();
  await seedSessions(openBenchPool(run, mesh, 'VERIFICATION'), now);
  await seedResults(openBenchPool(run, mesh, 'TEST_RESULT'), now);
  run.progress('loading for 25 s');
  const load = await runLoad(run, mesh, {
    connections: 200,
    expectedStatus: 200,
    requests: { kind: 'polls', seed, count: tokens },
  });
  return loadFigures('polls', 'polls', load, { atLeast: 5_000 });
};

async function seedSessions(verification: Pool, now: Date): Promise<void> {
  for (let from = 0; from < tokens; from += rowsPerInsert) {
    await verification.query(
      `insert into session (token_hash, created_at, hashed_guid)
       select sha256(convert_to(${seededUuidSql('$1::text', 'n')}, 'UTF8')), $4, ${hashedGuidSql}
       from generate_series($2::int, $3::int) as n`,
      [seed, from, from + rowsPerInsert - 1, now],
    );
  }
  await verification.query('vacuum (analyze) session');
}

/** Raw PCR codes 1 to 3 in turn. */
async function seedResults(testResult: Pool, now: Date): Promise<void> {
  for (let from = 0; from < tokens; from += rowsPerInsert) {
    await testResult.query(
      `insert into test_result (result_id, family, result, result_date, lab_id, submitter, created_at)
       select ${hashedGuidSql}, 1, n % 3 + 1, $3, 'lab-of-the-benchmark', sha256('lab'), $3
       from generate_series($1::int, $2::int) as n`,
      [from, from + rowsPerInsert - 1, now],
    );
  }
  await testResult.query('vacuum (analyze) test_result');
}
