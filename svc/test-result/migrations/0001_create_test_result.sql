-- Up Migration

-- family: 1 PCR, 2 quick test, 3 PoC-NAT (as in the proto); result: raw code of the family (S 3.3).
create table test_result (
  result_id text collate "C" primary key check (result_id ~ '^[x0-9a-f][0-9a-f]{63}$'),
  family smallint not null,
  result smallint not null,
  result_date timestamptz not null,
  lab_id text check (lab_id ~ '^[\x20-\x7e]{1,64}$'),
  submitter bytea not null check (octet_length(submitter) = 32),
  created_at timestamptz not null,
  constraint result_of_family check (
    (family = 1 and result between 1 and 4)
    or (family = 2 and result between 5 and 9)
    or (family = 3 and result between 10 and 14)
  )
);

-- What the retention job looks for: rows to delete, and rows whose result is still readable.
create index test_result_created_at on test_result (created_at);
create index test_result_readable on test_result (created_at) where result not in (4, 9, 14);
