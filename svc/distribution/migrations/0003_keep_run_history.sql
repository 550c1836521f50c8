-- How runs went; nothing of what they published. Written after a run, so one that was killed has no row.
create table distribution_run (
  run_number bigint primary key,
  -- In mesh time; rows of 40 days.
  started_at timestamptz not null,
  duration_seconds double precision not null,
  outcome text not null check (outcome in ('done', 'incomplete', 'failed')),
  packages integer not null,
  objects_put integer not null,
  objects_deleted integer not null,
  failures integer not null
);
create index distribution_run_started on distribution_run (started_at);

-- What the security feed was last told is in force, so that a restart is no change.
create table reported_change (
  what text primary key,
  version text not null
);
