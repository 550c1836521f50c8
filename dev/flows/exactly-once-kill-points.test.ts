import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FaultyMesh, startFaultyMesh } from '../faults/faulty-mesh.ts';
import { type KillPoints, killPointsOf } from '../faults/kill-points.ts';
import { type Site, sitesOf } from '../faults/kill-sites.ts';
import { tally } from '../faults/tally.ts';

/**
 * The links on which a TAN is spent, every message of them; `npm run kill-points` does all links, manners and sequels.
 * Why frames on links are all the points there are is explained in dev/faults/kill-sites.ts.
 */
const spending = ['submission→verification', 'submission→postgres', 'verification→postgres'];
const everywhere = sitesOf('upload');
const sites = everywhere.filter(({ link }) => spending.includes(link));

let faulty: FaultyMesh;
let points: KillPoints;
beforeAll(async () => {
  faulty = await startFaultyMesh();
  points = killPointsOf(faulty);
});
afterAll(async () => {
  await points?.close();
  await faulty?.leave();
});

const groups: readonly { readonly name: string; readonly sites: readonly Site[]; readonly least: number }[] = [
  {
    name: 'drop any message: the retry with the same keys succeeds',
    sites: everywhere.filter(({ manner, sequel }) => manner === 'cut' && sequel === 'same keys'),
    least: 40,
  },
  {
    name: 'drop any message before it arrives: of the same TAN with other keys exactly one upload is stored',
    sites: sites.filter(({ manner, when, sequel }) => manner === 'cut' && when === 'before' && sequel === 'other keys'),
    least: 16,
  },
  {
    name: 'SIGKILL the sender of any message, PostgreSQL included: the retry succeeds',
    sites: sites.filter(
      ({ manner, when, sequel }) => manner === 'kill-sender' && when === 'before' && sequel === 'same keys',
    ),
    least: 16,
  },
];

describe('exactly once: no TAN is burnt without its keys stored, no key is stored without a spent TAN', () => {
  test.each(groups)(
    '$name',
    async ({ sites, least }) => {
      const sums = tally();
      const failed: string[] = [];
      for (const site of sites) {
        for await (const outcome of points.enumerate(site)) {
          sums.add(outcome);
          if (outcome.faults.length > 0) failed.push(sums.line(outcome));
        }
      }
      process.stdout.write(sums.table());
      expect(failed).toEqual([]);
      expect(sums.points).toBeGreaterThanOrEqual(least);
    },
    300_000,
  );
});
