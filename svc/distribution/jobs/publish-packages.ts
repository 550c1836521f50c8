import { encodeSortedKeyExport } from '../../../lib/exposure/key-export.ts';
import { DAY_SECONDS, HOUR_SECONDS, utcDayOfHour } from '../../../lib/exposure/intervals.ts';
import { inTx } from '../../../lib/db/tx.ts';
import { inSpan } from '../../../lib/telemetry/tracing.ts';
import type { Deps } from '../deps.ts';
import { countKeys, exportKeys } from '../export-keys.ts';
import { objectKeys, zip } from '../object-layout.ts';
import { dateOf } from '../object-window.ts';
import { placeOf, type Publication } from '../publication.ts';
import type { Publisher } from '../publisher.ts';
import { aggregateRegion, hourPackageDays, manyRows, retentionDays } from '../rules.ts';
import type { DecidedHours, RunTime } from '../run-time.ts';
import { signArchive, signatureInfos } from '../signed-archive.ts';
import { type PackedKeys, readPackedKeys } from '../store/key-pool.ts';
import { markPublished } from '../store/state.ts';
import { tellSigned } from '../tell-published.ts';
import { noteSigningFault } from './signing-fault.ts';

/** One hour or one day, and the hours whose keys it holds. */
interface Window {
  readonly kind: 'hour' | 'day';
  readonly fromHour: number;
  readonly toHour: number;
  readonly day: number;
}

export const regions = (originCountry: string): readonly string[] => [originCountry, aggregateRegion];

/** Closed hours of today and yesterday and closed days, from the first hour on (D 2.7, decision 26), oldest first. */
function windowsToPublish(time: RunTime, hours: DecidedHours): Window[] {
  const windows: Window[] = [];
  const firstDay = Math.max(utcDayOfHour(hours.first), time.today - retentionDays);
  for (let day = firstDay; day < time.today && day * 24 + 23 <= hours.last; day++) {
    windows.push({ kind: 'day', fromHour: day * 24, toHour: day * 24 + 23, day });
  }
  const from = Math.max(hours.first, (time.today - hourPackageDays + 1) * 24);
  for (let hour = from; hour <= hours.last; hour++) {
    windows.push({ kind: 'hour', fromHour: hour, toHour: hour, day: utcDayOfHour(hour) });
  }
  return windows;
}

/** Writes every package that is missing in the inventory. The next one is read while one is signed and packed. */
export async function publishPackages(
  d: Deps,
  publisher: Publisher,
  time: RunTime,
  hours: DecidedHours,
): Promise<void> {
  const read = (window: Window | undefined): Promise<PackedKeys> | undefined => {
    const reading =
      window && inTx(d.pool, 'read-package', (tx) => readPackedKeys(tx, window.fromHour, window.toHour), manyRows);
    // When the run ends before its turn nobody awaits it any more.
    reading?.catch(() => {});
    return reading;
  };
  const isMissing =
    (window: Window) =>
    (region: string): boolean =>
      !publisher.inventory.has(keyOf(window, region));
  const all = regions(d.rules.originCountry);
  const windows = windowsToPublish(time, hours).filter((window) => all.some(isMissing(window)));
  let next = read(windows[0]);
  try {
    for (const [i, window] of windows.entries()) {
      const keys = await next;
      next = read(windows[i + 1]);
      if (keys === undefined) continue;
      if (keys.key_count >= d.rules.manyKeys) {
        d.log.warn('package-large', { count: keys.key_count, hour: window.fromHour });
      }
      let complete = true;
      for (const region of all.filter(isMissing(window))) {
        if (!(await publishPackage(d, publisher, window, region, keys))) complete = false;
      }
      if (complete) await markPublished(d.pool, window.fromHour, window.toHour);
    }
  } catch (error) {
    // The packages that are left follow in the next run; indexes name only what is published.
    noteSigningFault(d, publisher, error);
  }
}

async function publishPackage(
  d: Deps,
  publisher: Publisher,
  window: Window,
  region: string,
  packed: PackedKeys,
): Promise<boolean> {
  const place = placeIn(window, region);
  return inSpan('publish package', { attributes: placeOf(place) }, async (span) => {
    const { bin, count } = exportOf(d, window, region, packed);
    span.set({ 'cwa.count': count });
    const archive = await signArchive(bin, d.signers);
    tellSigned(d, 'package-signed', { region, ...dateOf(place) });
    return publisher.publish({
      ...place,
      contentHash: archive.contentHash,
      signedBy: archive.signedBy,
      body: archive.zip,
      contentType: zip,
      immutable: true,
    });
  });
}

function exportOf(d: Deps, window: Window, region: string, packed: PackedKeys): { bin: Buffer; count: number } {
  const start = window.fromHour * HOUR_SECONDS;
  const head = {
    start,
    end: start + (window.kind === 'hour' ? HOUR_SECONDS : DAY_SECONDS),
    region,
    batchNum: 1,
    batchSize: 1,
    signatureInfos: signatureInfos(d.signers),
  };
  const which = region === aggregateRegion ? 'all' : 'own';
  const count = countKeys(packed, which);
  // Built anew after some of its keys have expired, a package may have too few left: then it has none.
  const enough = count >= d.rules.minimumKeys;
  const bin = encodeSortedKeyExport(head, enough ? exportKeys(packed, which) : [], count);
  return { bin, count: enough ? count : 0 };
}

function placeIn(window: Window, region: string): Pick<Publication, 'objectKey' | 'kind' | 'region' | 'day' | 'hour'> {
  const hour = window.kind === 'hour' ? { hour: window.fromHour } : {};
  return { objectKey: keyOf(window, region), kind: window.kind, region, day: window.day, ...hour };
}

function keyOf(window: Window, region: string): string {
  return window.kind === 'hour'
    ? objectKeys.hourPackage(region, window.fromHour)
    : objectKeys.dayPackage(region, window.day);
}
