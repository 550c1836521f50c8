-- What is or will be published, and nothing else of a key. bucket 1 = own country and EUR, 2 = EUR only (D 2.3).
create table key_pool (
  key_data bytea primary key check (octet_length(key_data) = 16),
  rolling_start_interval_number integer not null,
  rolling_period smallint not null,
  transmission_risk_level smallint not null,
  bucket smallint not null check (bucket in (1, 2)),
  release_hour integer not null,
  -- Hour package that holds the key; set once (decision 24).
  assigned_hour integer,
  padding boolean not null default false
);
create index key_pool_waiting on key_pool (release_hour) where assigned_hour is null;
create index key_pool_assigned on key_pool (assigned_hour) where assigned_hour is not null;

create function keep_assigned_hour() returns trigger language plpgsql as $$
begin
  raise exception 'a key stays in the package it was assigned to';
end $$;
create trigger key_pool_assigned_once before update on key_pool
  for each row when (old.assigned_hour is not null) execute function keep_assigned_hour();

-- One row.
create table distribution_state (
  only_row boolean primary key default true check (only_row),
  -- Number of the newest run: writes of an older one, that lost its lease, are refused.
  run_number bigint not null default 0,
  -- Where the next stream from submission starts.
  cursor bigint not null default 0,
  -- Hour in which the first run began: nothing earlier is ever published (decision 26).
  first_hour integer,
  last_assigned_hour integer,
  -- Newest day whose start has removed expired keys.
  cleaned_day integer not null default 0
);
insert into distribution_state default values;

-- Keys never published, by rule.
create table exclusion (
  rule text primary key,
  key_count bigint not null
);

-- One row a closed hour: what was assigned to it.
create table hour_package (
  hour integer primary key,
  own_keys integer not null,
  foreign_keys integer not null,
  padding_keys integer not null,
  published boolean not null default false
);

-- Own inventory of the object store (decision 28).
create table published_object (
  object_key text primary key,
  kind text not null,
  region text,
  -- Days and hours since 1970 UTC, where the object belongs to one.
  day integer,
  hour integer,
  content_hash text not null,
  signed_by text not null,
  etag text not null,
  size integer not null
);
create index published_object_kind on published_object (kind, day);
