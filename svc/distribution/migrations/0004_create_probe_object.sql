-- Up Migration

-- Archives of the prober's keys (decision 35), one an hour at most. Not part of the inventory: nobody's phone knows them.
create table probe_object (
  -- Whole hours since 1970 UTC; the object is probe/<hour>.
  hour integer primary key,
  content_hash text not null,
  signed_by text not null
);
