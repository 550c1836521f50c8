-- Up Migration

-- One partition for each UTC day that keys refer to. What is stored refers to the day of its submission or an earlier
-- one, so the day of the key alone decides when it must go, and dropping its partition leaves nothing: no dead rows,
-- no key in an inner page of an index. The same key has the same start, so it is unique inside its partition.

-- Moving a nation's keys may take longer than a request may.
set local statement_timeout = 0;

alter table diagnosis_key rename to unpartitioned_key;
alter table unpartitioned_key rename constraint diagnosis_key_pkey to unpartitioned_key_pkey;
alter index diagnosis_key_stream rename to unpartitioned_key_stream;

create table diagnosis_key (
  key_data bytea not null check (octet_length(key_data) = 16),
  submission_type smallint not null,
  rolling_start_interval_number int not null,
  rolling_period smallint not null,
  transmission_risk_level smallint not null,
  days_since_onset_of_symptoms smallint not null,
  report_type smallint not null,
  consent_to_federation boolean not null default false,
  -- No foreign key: every insert would lock the same few rows of country_set, which are never deleted.
  country_set_id int not null,
  -- Whole hours since 1970 UTC, deliberately coarse.
  submission_hour int not null,
  -- The cursor of the key stream: see docs/architecture.md, "How keys reach distribution".
  inserted_transaction xid8 not null default pg_current_xact_id(),
  primary key (key_data, submission_type, rolling_start_interval_number),
  -- Retention relies on it: nothing refers to a day after its submission.
  constraint diagnosis_key_not_from_the_future check (rolling_start_interval_number < submission_hour * 6 + 6)
) partition by range (rolling_start_interval_number);

-- Pages of the key stream, merged over the partitions. Transaction numbers grow, so inserts go to the last page.
create index diagnosis_key_stream
  on diagnosis_key (inserted_transaction, rolling_start_interval_number, key_data, submission_type);

-- Makes sure that keys of these UTC days (days since 1970) can be stored. Attaching, unlike "partition of", lets
-- uploads go on. Replicas take turns, and retention takes turns with them.
create function keep_key_days(days int[]) returns void language plpgsql as $$
declare
  day int;
begin
  perform pg_advisory_xact_lock(7002);
  for day in
    select distinct d from unnest(days) as d where to_regclass(format('diagnosis_key_%s', d)) is null order by d
  loop
    execute format('create table diagnosis_key_%s (like diagnosis_key including all)', day);
    execute format('alter table diagnosis_key attach partition diagnosis_key_%s for values from (%s) to (%s)',
      day, day * 144, day * 144 + 144);
  end loop;
end $$;

-- UTC days that have a partition.
create view key_day as
  select substring(relname from '^diagnosis_key_([0-9]+)$')::int as day
  from pg_inherits join pg_class on pg_class.oid = inhrelid
  where inhparent = 'diagnosis_key'::regclass;

-- Drops the partition of a UTC day with all its files. Uploads wait while this waits for those that have begun, so it
-- gives up (lock_not_available) before that can hurt anybody.
create function drop_key_day(day int) returns void language plpgsql set lock_timeout = '1s' as $$
begin
  perform pg_advisory_xact_lock(7002);
  execute format('drop table if exists diagnosis_key_%s', day);
end $$;

-- Replicas of the version before, which create no partitions, go on storing keys of these days.
select keep_key_days(array(
  select rolling_start_interval_number / 144 from unpartitioned_key
  union
  select extract(epoch from now())::int / 86400 + n from generate_series(-14, 1) as n
  where exists (select from unpartitioned_key)
));

insert into diagnosis_key (key_data, submission_type, rolling_start_interval_number, rolling_period,
  transmission_risk_level, days_since_onset_of_symptoms, report_type, consent_to_federation, country_set_id,
  submission_hour, inserted_transaction)
select key_data, submission_type, rolling_start_interval_number, rolling_period,
  transmission_risk_level, days_since_onset_of_symptoms, report_type, consent_to_federation, country_set_id,
  submission_hour, inserted_transaction
from unpartitioned_key;

drop table unpartitioned_key;
