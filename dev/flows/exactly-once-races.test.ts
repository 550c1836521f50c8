import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RaceMesh, startRaceMesh } from '../faults/race-mesh.ts';
import { races, teleTanLimit } from '../faults/races.ts';

/** One round of each; `npm run race` does 100 at the services and 10 through the gateway. */
const width = 1_000;

let mesh: RaceMesh;
beforeAll(async () => {
  mesh = await startRaceMesh({ width, teleTansPerHour: teleTanLimit(width) });
});
afterAll(() => mesh?.leave());

const named = races.map((race) => ({
  race,
  title: `${race.name}, ${race.throughGateway ? 'by the gateway' : 'at two replicas'}`,
}));

test.each(named)(`exactly 1 of ${width}: $title`, async ({ race }) => {
  expect(await race.round(mesh, width)).toEqual(race.expected(width));
});
