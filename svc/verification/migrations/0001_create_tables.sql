-- Up Migration

-- One phone's long-lived coupling to a test (hashed GUID) or to a teleTAN. Type: 1 TEST, 2 EVENT (as in the proto).
create table session (
  id bigint generated always as identity primary key,
  token_hash bytea not null unique check (octet_length(token_hash) = 32),
  created_at timestamptz not null,
  hashed_guid text collate "C",
  hashed_guid_dob text collate "C",
  tele_tan_type smallint check (tele_tan_type in (1, 2)),
  redeemed_tans smallint not null default 0,
  constraint guid_or_tele_tan check ((hashed_guid is null) <> (tele_tan_type is null)),
  constraint dob_beside_guid check (hashed_guid_dob is null or hashed_guid is not null)
);
create index session_created_at on session (created_at);

-- Every hash that was ever registered, with or without date of birth, so that none gets a second token. Outlives the
-- session: it must stay while test-result can still answer for the GUID (S 2.9 [D]).
create table registered_hash (
  hash bytea primary key check (octet_length(hash) = 32),
  registered_at timestamptz not null
);
create index registered_hash_registered_at on registered_hash (registered_at);

-- HMAC under a secret pepper: a teleTAN has only 44.6 bits (S 2.8 [D]).
create table tele_tan (
  hash bytea primary key check (octet_length(hash) = 32),
  type smallint not null check (type in (1, 2)),
  created_at timestamptz not null,
  valid_until timestamptz not null,
  redeemed_at timestamptz
);
create index tele_tan_created_at on tele_tan (created_at);

-- Well-formed teleTANs that phones tried, by minute; shards keep parallel counting from waiting (decision 16).
create table tele_tan_attempt (
  minute timestamptz not null,
  shard smallint not null,
  succeeded integer not null,
  failed integer not null,
  primary key (minute, shard)
);

create table tan (
  hash bytea primary key check (octet_length(hash) = 32),
  session_id bigint references session on delete set null,
  tele_tan_type smallint check (tele_tan_type in (1, 2)),
  created_at timestamptz not null,
  valid_until timestamptz not null,
  reservation_id uuid unique,
  keys_hash bytea check (octet_length(keys_hash) = 32),
  constraint reserved_for_keys check ((reservation_id is null) = (keys_hash is null))
);
create index tan_created_at on tan (created_at);
create index tan_session_id on tan (session_id);
-- At most one TAN of a session can be spent at any time (S 2.4 [D]).
create unique index tan_one_open_a_session on tan (session_id) where reservation_id is null;

-- Hash only, for 24 hours: recognises the same upload when its answer was lost (S 1.9 [D], decision 20).
create table tan_tombstone (
  tan_hash bytea primary key check (octet_length(tan_hash) = 32),
  keys_hash bytea not null,
  reservation_id uuid not null,
  confirmed_at timestamptz not null
);
create index tan_tombstone_confirmed_at on tan_tombstone (confirmed_at);
