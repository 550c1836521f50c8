import { contentHash } from '../../../lib/exposure/content-hash.ts';
import { dayName, hourOfDay, utcDayOfHour } from '../../../lib/exposure/intervals.ts';
import type { Deps } from '../deps.ts';
import { json, objectKeys } from '../object-layout.ts';
import type { Publication } from '../publication.ts';
import type { Publisher } from '../publisher.ts';
import { hourPackageDays } from '../rules.ts';
import type { DecidedHours, RunTime } from '../run-time.ts';
import type { ObjectKind, PublishedObject } from '../store/inventory.ts';
import { regions } from './publish-packages.ts';

type IndexPlace = Pick<Publication, 'objectKey'> & { kind?: ObjectKind; region?: string; day?: number };

/** Publishes the JSON text of `content` where it differs from what is published. No blanks (D 2.8). */
export async function publishIndex(publisher: Publisher, place: IndexPlace, content: unknown): Promise<boolean> {
  const body = Buffer.from(JSON.stringify(content));
  const hash = contentHash(body);
  if (publisher.isCurrent(place.objectKey, hash, '')) return true;
  return publisher.publish({
    kind: 'index',
    ...place,
    contentHash: hash,
    signedBy: '',
    body,
    contentType: json,
    immutable: false,
  });
}

/**
 * Hour indexes, then date indexes, then the indexes above: each names only what the inventory holds, so a package that
 * failed is simply not named yet. Today's hour index exists from the first run of the day, empty if need be.
 */
export async function publishIndexes(d: Deps, publisher: Publisher, time: RunTime, hours: DecidedHours): Promise<void> {
  const { originCountry, daysToPublish } = d.rules;
  const firstDay = Math.max(utcDayOfHour(hours.first), time.today - hourPackageDays + 1);
  for (const region of regions(originCountry)) {
    for (let day = firstDay; day <= time.today; day++) {
      const listed = ofKind(publisher, 'hour', region)
        .filter((object) => object.day === day)
        .map(({ hour = 0 }) => hourOfDay(hour))
        .sort((a, b) => a - b);
      await publishIndex(
        publisher,
        { objectKey: objectKeys.hourIndex(region, day), kind: 'hour-index', region, day },
        listed,
      );
    }
  }
  for (const region of regions(originCountry)) {
    const days = ofKind(publisher, 'day', region)
      .map(({ day = 0 }) => day)
      .filter((day) => day >= time.today - daysToPublish)
      .sort((a, b) => a - b)
      .map(dayName);
    await publishIndex(publisher, { objectKey: objectKeys.dateIndex(region), kind: 'date-index', region }, days);
  }
  await publishIndex(publisher, { objectKey: objectKeys.regions }, regions(originCountry));
  await publishIndex(publisher, { objectKey: objectKeys.versions }, ['v1']);
  await publishIndex(publisher, { objectKey: objectKeys.versionsV2 }, ['v2']);
}

function ofKind(publisher: Publisher, kind: ObjectKind, region: string): PublishedObject[] {
  return [...publisher.inventory.values()].filter((object) => object.kind === kind && object.region === region);
}
