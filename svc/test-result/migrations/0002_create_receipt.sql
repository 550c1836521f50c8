-- Up Migration

-- What became of each delivered result, for the partner that delivered it (decision 22). receipt_id is the first half
-- of SHA-256 over the partner's fingerprint, the family and the delivered id (receipt.ts): nobody finds a receipt who
-- does not know both, and rows of one partner or of one test cannot be told to belong together. No result is in it.
-- status: as in the proto. A partition a day (UTC), so that retention drops files instead of deleting rows.
create table receipt (
  receipt_id uuid not null,
  delivery_hour int not null,
  status smallint not null,
  primary key (receipt_id, delivery_hour, status)
) partition by range (delivery_hour);

-- Attaching, unlike "create table … partition of", does not wait for those who write into other days.
create function create_receipt_day(day int) returns void language plpgsql as $$
declare
  name text := 'receipt_' || day;
begin
  perform pg_advisory_xact_lock(hashtext('receipt-days'));
  if to_regclass(name) is null then
    execute format('create table %I (like receipt including all)', name);
    execute format('alter table receipt attach partition %I for values from (%s) to (%s)', name, day * 24, day * 24 + 24);
  end if;
end $$;

-- Days before the given one; returns how many. Gives up after a second rather than let deliveries queue behind it.
create function drop_receipt_days(first_kept int) returns int language plpgsql as $$
declare
  name text;
  dropped int := 0;
begin
  perform set_config('lock_timeout', '1s', true);
  for name in
    select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'receipt'::regclass and substr(c.relname, 9)::int < first_kept
  loop
    execute format('drop table %I', name);
    dropped := dropped + 1;
  end loop;
  return dropped;
end $$;
