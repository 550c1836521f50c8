-- Up Migration

-- Keys of the prober (decision 35), nobody's: in a table of their own, so that no stream, package, quota or count of
-- diagnosis keys can ever hold one.
create table probe_key (
  key_data bytea primary key check (octet_length(key_data) = 16),
  rolling_start_interval_number int not null,
  rolling_period smallint not null,
  transmission_risk_level smallint not null,
  -- Whole hours since 1970 UTC.
  submission_hour int not null
);
