import { expect, test } from 'vitest';
import { openArchive } from '../../../lib/exposure/export-archive.ts';
import { decodeKeyExport } from '../../../lib/exposure/key-export-reader.ts';
import { world } from '../fixtures/world.ts';

test('keys become signed packages and indexes', async () => {
  const w = await world();
  await w.run();
  const keys = w.submit(200);
  const outcome = await w.nextHour();
  expect(outcome).toMatchObject({ keysRead: 200, keysAssigned: 200, paddingKeys: 0, keysWaiting: 0 });
  const objects = w.store.objects();
  expect([...objects.keys()].sort()).toMatchInlineSnapshot(`
    [
      "version",
      "version/index-v2",
      "version/v1/app_config_android",
      "version/v1/app_config_ios",
      "version/v1/configuration/country",
      "version/v1/configuration/country/DE/app_config",
      "version/v1/diagnosis-keys/country",
      "version/v1/diagnosis-keys/country/DE/date",
      "version/v1/diagnosis-keys/country/DE/date/2020-09-13/hour",
      "version/v1/diagnosis-keys/country/DE/date/2020-09-13/hour/10",
      "version/v1/diagnosis-keys/country/EUR/date",
      "version/v1/diagnosis-keys/country/EUR/date/2020-09-13/hour",
      "version/v1/diagnosis-keys/country/EUR/date/2020-09-13/hour/10",
      "version/v1/stats",
      "version/v2/app_config_android",
      "version/v2/app_config_ios",
      "version/v2/twp/country",
      "version/v2/twp/country/DE/hour",
      "version/v2/twp/country/DE/hour/444441",
      "version/v2/twp/country/DE/hour/444442",
    ]
  `);
  const zip = objects.get('version/v1/diagnosis-keys/country/DE/date/2020-09-13/hour/10');
  const { bin } = await openArchive(zip?.body ?? Buffer.alloc(0));
  expect(decodeKeyExport(bin).keys).toHaveLength(keys.length);
});
