import { contentHash } from '../../../lib/exposure/content-hash.ts';
import type { Deps } from '../deps.ts';
import { objectKeys, zip } from '../object-layout.ts';
import type { Publisher } from '../publisher.ts';
import { retentionDays } from '../rules.ts';
import type { DecidedHours, RunTime } from '../run-time.ts';
import { publishIndex } from './publish-indexes.ts';

const nothing = Buffer.alloc(0);

/** Hours of check-in warnings that exist: strictly inside the last 14 days (D 4.2). */
export const oldestWarningHour = (time: RunTime): number => time.currentHour - retentionDays * 24 + 1;

/**
 * Apps of version 3 ask for check-in warnings; until there are any, every hour is an object of no bytes (decision 32).
 * The hour before the first one exists too, so that the index is never without an hour.
 * False when the index is not as it should be.
 */
export async function publishWarningHours(
  d: Deps,
  publisher: Publisher,
  time: RunTime,
  hours: DecidedHours,
): Promise<boolean> {
  const country = d.rules.originCountry;
  const oldest = Math.max(hours.first - 1, oldestWarningHour(time));
  let latest = oldest - 1;
  for (let hour = oldest; hour <= time.lastClosedHour; hour++) {
    const objectKey = objectKeys.warningHour(country, hour);
    const published =
      publisher.inventory.has(objectKey) ||
      (await publisher.publish({
        objectKey,
        kind: 'warning-hour',
        region: country,
        hour,
        contentHash: contentHash(nothing),
        signedBy: '',
        body: nothing,
        contentType: zip,
        immutable: true,
      }));
    // The index names a range, so it ends before the first gap.
    if (!published) break;
    latest = hour;
  }
  if (latest < oldest) return false;
  const indexed = await publishIndex(publisher, { objectKey: objectKeys.warningIndex(country) }, { oldest, latest });
  return (await publishIndex(publisher, { objectKey: objectKeys.warningCountries }, [country])) && indexed;
}
