-- Up Migration

-- What a key says of countries, once: visited countries (sorted) and origin. A few dozen rows at most.
create table country_set (
  id int generated always as identity primary key,
  origin text not null,
  visited text[] not null,
  unique (origin, visited)
);

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
  primary key (key_data, submission_type)
);

-- Pages of the key stream. Transaction numbers grow, so inserts go to the last page of this index.
create index diagnosis_key_stream on diagnosis_key (inserted_transaction, key_data, submission_type);

-- The fence of the TAN protocol: whoever inserts an id first decides what became of it.
create table reservation (
  id uuid primary key,
  state text not null check (state in ('stored', 'confirmed', 'abandoned')),
  -- Whole hours since 1970 UTC in which the state was reached.
  changed_hour int not null
);

create index reservation_unconfirmed on reservation (id) where state = 'stored';

-- Countries stay accepted for some days after they left the configuration (decision 18).
create table supported_country (
  code text primary key,
  -- UTC day number on which the configuration last named it.
  last_supported_day int not null
);
