-- Every configuration that was ever published, as its files were: what phones had, and what can be brought back.
create table configuration_version (
  version integer generated always as identity primary key,
  published_at timestamptz not null,
  content_hash text not null,
  -- The version whose content this one brought back.
  restores integer references configuration_version (version),
  v1 bytea not null,
  android_v1 bytea not null,
  ios_v1 bytea not null,
  android_v2 bytea not null,
  ios_v2 bytea not null
);

-- At most one row: the version that stands in for the configured one.
create table configuration_rollback (
  only_row boolean primary key default true check (only_row),
  version integer not null references configuration_version (version),
  -- Hash of the configured files that it stands in for; null until a run has taken the rollback up. When others are
  -- configured, the rollback ends.
  instead_of text
);
