import { DAY_SECONDS, dayName, parseDayName } from '../lib/exposure/intervals.ts';
import { singleEtag } from './configuration-client.ts';
import type { Http, HttpResponse } from './http.ts';
import type { CachedPackage, PackageCache } from './package-cache.ts';

export interface SyncInput {
  http: Http;
  cache: PackageCache;
  /** `EUR` or a country, as in the path. */
  region: string;
  nowSeconds: number;
  /** Hour packages are skipped on a metered line (P D-4). */
  metered: boolean;
  revokedEtags: ReadonlySet<string>;
}

export interface SyncOutcome {
  /** False when an index or a listed package could not be had; the next session asks both indexes again. */
  complete: boolean;
  /** Paths that failed, for the retry; no package is skipped for good. */
  failed: string[];
}

/** One download session: days, then the hours of the running UTC day (P D-3 to D-6). */
export async function syncPackages(input: SyncInput): Promise<SyncOutcome> {
  const { cache, nowSeconds } = input;
  cache.dropRevoked(input.revokedEtags);
  cache.dropObsolete(nowSeconds);
  const askHours = !input.metered && cache.needsHourIndex(nowSeconds);
  const failed = cache.needsDayIndex(nowSeconds) ? await syncDays(input) : [];
  if (askHours) failed.push(...(await syncHours(input)));
  cache.dropObsolete(nowSeconds);
  cache.mustAskIndexes = failed.length > 0;
  return { complete: failed.length === 0, failed };
}

async function syncDays(input: SyncInput): Promise<string[]> {
  const base = datePath(input);
  const index = await getIndex(input.http, base);
  if (index === undefined) return [base];
  const today = Math.floor(input.nowSeconds / DAY_SECONDS);
  const listed = index
    .filter((date): date is string => typeof date === 'string')
    .filter((date) => {
      const day = parseDayName(date);
      return day !== undefined && day >= today - 14 && day < today;
    })
    .sort()
    .map((date) => ({ path: `${base}/${date}`, date }));
  input.cache.keepListed(input.cache.days(), new Set(listed.map(({ path }) => path)));
  return fetchMissing(input, listed);
}

async function syncHours(input: SyncInput): Promise<string[]> {
  const date = dayName(Math.floor(input.nowSeconds / DAY_SECONDS));
  const base = `${datePath(input)}/${date}/hour`;
  const index = await getIndex(input.http, base);
  if (index === undefined) return [base];
  const listed = index
    .map(Number)
    .filter((hour) => Number.isInteger(hour) && hour >= 0 && hour <= 23)
    .sort((a, b) => a - b)
    .map((hour) => ({ path: `${base}/${hour}`, date, hour }));
  input.cache.keepListed(input.cache.hours(date), new Set(listed.map(({ path }) => path)));
  return fetchMissing(input, listed);
}

/** Fetches what is not there yet, all of it side by side; one failure leaves the others alone. */
async function fetchMissing(
  input: SyncInput,
  listed: readonly Omit<CachedPackage, 'etag' | 'checked'>[],
): Promise<string[]> {
  const missing = listed.filter(({ path }) => !input.cache.has(path));
  const answers = await Promise.all(
    missing.map(async (item) => ({ item, response: await get(input.http, item.path) })),
  );
  const failed: string[] = [];
  for (const { item, response } of answers) {
    const etag = response?.status === 200 ? singleEtag(response) : undefined;
    // A body that is still the revoked one must not be used; the corrected one will have another ETag.
    if (response === undefined || etag === undefined || input.revokedEtags.has(etag)) failed.push(item.path);
    else input.cache.put({ ...item, etag, body: response.body, checked: false });
  }
  return failed;
}

/** The list of an index; a 404 is an empty list (P D-7), undefined stands for any other failure. */
async function getIndex(http: Http, path: string): Promise<unknown[] | undefined> {
  const response = await get(http, path);
  if (response?.status === 404) return [];
  if (response?.status !== 200) return undefined;
  try {
    const list: unknown = JSON.parse(response.body.toString('utf8'));
    return Array.isArray(list) ? list : undefined;
  } catch {
    return undefined;
  }
}

async function get(http: Http, path: string): Promise<HttpResponse | undefined> {
  try {
    return await http({ method: 'GET', path, headers: {} });
  } catch {
    return undefined;
  }
}

function datePath({ region }: SyncInput): string {
  return `/version/v1/diagnosis-keys/country/${region}/date`;
}
