import type { Pool } from '../../lib/db/pool.ts';
import { openBenchMesh, openBenchPool } from './bench-mesh.ts';
import type { Bench } from './bench.ts';
import { loadFigures, runLoad } from './load/run-load.ts';
import { seededUuidSql } from './load/seeded-uuid.ts';

const tans = 150_000;
const tansPerInsert = 25_000;
export const tanSeed = 'tan';

/** Uploads a second from the TLS edge to the committed row, each with 14 keys of its own and a TAN of its own. */
export const uploads: Bench = async (run) => {
  const mesh = await openBenchMesh(run);
  run.progress(`seeding ${tans.toLocaleString('en-US')} TANs`);
  const verification = openBenchPool(run, mesh, 'VERIFICATION');
  await seedTans(verification, tans, mesh.clock.now());
  run.progress('loading for 25 s');
  const load = await runLoad(run, mesh, {
    connections: 200,
    expectedStatus: 200,
    requests: { kind: 'uploads', seed: tanSeed, count: tans, nowSeconds: Math.floor(mesh.clock.nowMs() / 1000) },
  });
  await proveStored(openBenchPool(run, mesh, 'SUBMISSION'), load.answers);
  return loadFigures('uploads', 'uploads', load, { atLeast: 500 });
};

/** As issuing leaves them: each TAN open, and in a session of its own. */
export async function seedTans(verification: Pool, count: number, now: Date): Promise<void> {
  for (let from = 0; from < count; from += tansPerInsert) {
    await verification.query(
      `with opened as (
         insert into session (token_hash, created_at, hashed_guid)
         select sha256(convert_to('token' || n, 'UTF8')), $4, encode(sha256(convert_to('guid' || n, 'UTF8')), 'hex')
         from generate_series($2::int, $3::int) as n
         returning id
       ), numbered as (
         select id, ($2::int + row_number() over () - 1)::int as n from opened
       )
       insert into tan (hash, session_id, created_at, valid_until)
       select sha256(convert_to(${seededUuidSql('$1::text', 'n')}, 'UTF8')), id, $4, $4::timestamptz + interval '14 days'
       from numbered`,
      [tanSeed, from, from + tansPerInsert - 1, now],
    );
  }
  await verification.query('vacuum (analyze) session');
  await verification.query('vacuum (analyze) tan');
}

/** An answer alone proves nothing: every counted upload must have left its keys. */
export async function proveStored(submission: Pool, answers: number): Promise<void> {
  const { rows } = await submission.query<{ keys: number; uploads: number }>(
    `select (select count(*) from diagnosis_key) as keys,
       (select count(*) from reservation where state in ('stored', 'confirmed')) as uploads`,
  );
  const { keys = 0, uploads = 0 } = rows[0] ?? {};
  if (uploads < answers || keys !== uploads * 14) {
    throw new Error(`${answers} uploads were answered, but ${uploads} are stored with ${keys} keys`);
  }
}
