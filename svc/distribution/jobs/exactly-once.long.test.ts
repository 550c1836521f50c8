import { expect, test } from 'vitest';
import { simulate } from '../fixtures/simulation.ts';

/** `npm run simulate:distribution`: 40 days at every rate; SIMULATION_SEED repeats a run, SIMULATION_DAYS shortens it. */
const seed = process.env['SIMULATION_SEED'] || String(Date.now());
const days = Number(process.env['SIMULATION_DAYS'] || 40);
const rates = (process.env['SIMULATION_RATES'] || '1,10,20,40,15000').split(',').map(Number);

test.each(rates)(
  `D row 25: ${days} days at %i keys an hour, random arrivals, clock positions, gaps and kills`,
  async (keysPerHour) => {
    process.stdout.write(`${keysPerHour} keys an hour, SIMULATION_SEED=${seed}\n`);
    const onDay = (day: number): void => void process.stdout.write(`day ${day}\n`);
    const { faults, keys, runs, kills } = await simulate({ seed, days, keysPerHour, killed: 10, missed: 12, onDay });
    process.stdout.write(`${keys} keys in ${runs} runs, ${kills} of them killed before: ${faults.length} faults\n`);
    expect(faults).toEqual([]);
  },
  7_200_000,
);
