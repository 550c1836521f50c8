import type { Queryable } from '../../../lib/db/pool.ts';

export interface PackageRow {
  region: string;
  kind: 'hour' | 'day';
  /** Days since 1970 UTC. */
  day: number;
  /** Hours since 1970 UTC; null of a day. */
  hour: number | null;
  size: number;
}

/** The newest hour package and the newest day package of each region. */
export async function readNewestPackages(db: Queryable): Promise<PackageRow[]> {
  const { rows } = await db.query<PackageRow>(
    `select distinct on (region, kind) region, kind, day, hour, size
     from published_object where kind in ('hour', 'day')
     order by region, kind, day desc, hour desc`,
  );
  return rows;
}

export interface CountedPackageRow extends PackageRow {
  /** Diagnosis keys and padding of the own country's buckets, and of all, as they were assigned. */
  own_keys: number;
  own_padding: number;
  all_keys: number;
  all_padding: number;
}

/**
 * Published packages, newest end first, with what was assigned to their hours. Padding of an hour belongs to the own
 * country exactly when own keys came out with it (`hour-plan.ts`).
 */
export async function readPackageList(db: Queryable, limit: number): Promise<CountedPackageRow[]> {
  const { rows } = await db.query<CountedPackageRow>(
    `with package as (
       select region, kind, day, hour, size, coalesce(hour, day * 24) as first, coalesce(hour, day * 24 + 23) as last
       from published_object where kind in ('hour', 'day')
       order by 7 desc, kind, region limit $1)
     select region, kind, day, package.hour, size,
       coalesce(sum(own_keys), 0)::int as own_keys,
       coalesce(sum(padding_keys) filter (where own_keys > 0), 0)::int as own_padding,
       coalesce(sum(own_keys + foreign_keys), 0)::int as all_keys,
       coalesce(sum(padding_keys), 0)::int as all_padding
     from package left join hour_package on hour_package.hour between first and last
     group by region, kind, day, package.hour, size, last
     order by last desc, kind, region`,
    [limit],
  );
  return rows;
}
