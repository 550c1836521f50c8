import { expect, test } from 'vitest';
import { derivableKeys } from '../fixtures/read-store.ts';
import { Killed, mortalStore } from '../fixtures/mortal-store.ts';
import { world, type World } from '../fixtures/world.ts';
import { runDistribution } from './run.ts';

/** The part of a day around midnight: an ordinary hour, then day packages, new indexes and deletions. */
const instants = (day: number): number[] => [Date.UTC(2020, 8, day, 23, 5), Date.UTC(2020, 8, day + 1, 0, 5)];

function arrive(w: World): void {
  w.submit(150);
  w.submit(30, { origin: 'FR', visited: ['FR'] });
}

const contents = (w: World) =>
  new Map([...w.store.objects()].map(([key, { body, metadata }]) => [key, { body: body.toString('hex'), metadata }]));

test.each(['before', 'after'] as const)(
  'a run killed at any store request (%s the store did it) is finished by the next: no torn index, no changed package, no missing key',
  async (when) => {
    // Two mesh twins: one never dies, the other dies once in each run, at its first, second … request.
    const whole = await world({ start: '2020-09-01T22:05:00Z' });
    const dying = await world({ start: '2020-09-01T22:05:00Z' });
    const mortal = mortalStore(dying.store);
    const deps = { ...dying.deps, blob: mortal.blob };
    let kills = 0;
    let longest = 0;
    const nth = [1, 1];
    await whole.run();
    await dying.run();
    for (let day = 1; day <= 24 && nth.some((n) => n > 0); day++) {
      for (const [i, instant] of instants(day).entries()) {
        for (const w of [whole, dying]) {
          w.clock.set(instant - 3_600_000);
          arrive(w);
          w.clock.set(instant);
        }
        await whole.run();
        mortal.killAt(nth[i] ?? 1, when);
        try {
          await runDistribution(deps);
          nth[i] = 1;
        } catch (error) {
          if (!(error instanceof Killed)) throw error;
          kills++;
          longest = Math.max(longest, nth[i] ?? 0);
          nth[i] = (nth[i] ?? 0) + 1;
        }
        const named = derivableKeys(dying.store);
        const stored = dying.store.objects();
        expect(named.filter((key) => !stored.has(key))).toEqual([]);
        mortal.killAt(0, when);
        const healed = await runDistribution(deps);
        expect(healed).toMatchObject({ failures: 0 });
        expect(contents(dying)).toEqual(contents(whole));
      }
    }
    // 23:05 needs fewer requests than midnight; both were died through completely.
    expect(longest).toBeGreaterThan(14);
    expect(kills).toBeGreaterThan(30);
    expect(dying.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  },
  120_000,
);
