import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { undiciHttp } from '../../phone/undici-http.ts';
import { differences } from '../config/difference.ts';
import { publishedConfiguration } from '../config/published.ts';
import { readable, type ReadableConfiguration } from '../config/readable.ts';
import { withVersions } from '../config/versions.ts';
import { temporaryMesh } from './mesh-home.ts';

test('a configuration is changed, compared with what is published, and rolled back: its ETag changes exactly once each time', async () => {
  const { mesh, leave } = await temporaryMesh();
  const ca = readFileSync(join(mesh.home, 'pki', 'ca.crt'));
  const http = undiciHttp(`https://localhost:${mesh.ports.GATEWAY_PHONE_PORT}`, { ca, connections: 1 });
  const etags: string[] = [];
  const run = async () => {
    await mesh.runDistribution();
    const { headers } = await http({ method: 'GET', path: '/version/v2/app_config_android', headers: {} });
    if (etags.at(-1) !== headers['etag']) etags.push(headers['etag'] ?? '');
  };
  const published = async (): Promise<ReadableConfiguration> => {
    const found = await publishedConfiguration(mesh.objectStore.env, 'DE');
    return readable(found?.files ?? new Map(), 'DE');
  };
  try {
    await run();
    const first = await published();
    const file = join(mesh.home, 'configuration.json');
    writeFileSync(file, JSON.stringify({ riskCalculation: { v2: { maxEncounterAgeInDays: 14 } } }));
    await mesh.restart('distribution', { DISTRIBUTION_APP_CONFIGURATION_FILE: file });
    await run();
    await run();
    expect(differences(first, await published())).toEqual(
      ['android', 'ios'].map((system) => ({
        file: `version/v2/app_config_${system}`,
        field: 'riskCalculationParameters.maxEncounterAgeInDays',
        before: 10,
        after: 14,
      })),
    );
    const env = { DISTRIBUTION_DATABASE_URL: mesh.databaseUrl('DISTRIBUTION') };
    await withVersions(env, async (versions) => {
      await expect(versions.bringBack(2)).rejects.toThrow('the content of version 2 is published already');
      await expect(versions.bringBack(9)).rejects.toThrow('there is no version 9');
      expect(await versions.bringBack(1)).toBe(false);
    });
    await run();
    await mesh.restart('distribution', { DISTRIBUTION_APP_CONFIGURATION_FILE: file });
    await run();
    await run();
    expect(await published()).toEqual(first);
    await withVersions(env, async (versions) => {
      expect((await versions.history()).map(({ version, restores }) => [version, restores])).toEqual([
        [3, 1],
        [2, null],
        [1, null],
      ]);
      expect(readable(await versions.files(2, 'DE'), 'DE')).not.toEqual(first);
      expect(await versions.rollback()).toBe(1);
    });
    expect(etags).toEqual([etags[0], etags[1], etags[0]]);
  } finally {
    await http.close();
    await leave();
  }
});
