import { expect, test } from 'vitest';
import { fakeSystem } from './fixtures/fake-system.ts';
import { walk } from './journey.ts';
import type { ProbeStep } from './step.ts';

const chain = ['report', 'register', 'result', 'tan', 'upload', 'export', 'match'] as const;
const hourMs = 3_600_000;

type System = ReturnType<typeof fakeSystem>;

/** The steps that passed, and the one that failed. */
async function told({ metrics }: System) {
  const all: ProbeStep[] = ['configuration', 'index', ...chain];
  const of = async (outcome: string) => {
    const counts = await Promise.all(
      all.map((step) => metrics.seen('cwa.probe.steps', { 'cwa.probe.step': step, 'cwa.outcome': outcome })),
    );
    return all.filter((_, i) => (counts[i] ?? 0) > 0);
  };
  return { passed: await of('passed'), failed: await of('failed') };
}

/** Walks while a second passes again and again, so that it never waits for ever. */
async function walkThroughTime(system: System) {
  const journey = walk(system.deps);
  let done = false;
  void journey.finally(() => (done = true));
  while (!done) {
    await new Promise((next) => setTimeout(next, 1));
    system.clock.advance(1_000);
  }
  return journey;
}

/** Answers the archive of these keys wherever it is asked for in the hour, once `due`. */
function archiveAt(
  system: System,
  hour: number,
  keys: (uploaded: System['uploaded']) => System['uploaded'] = (uploaded) => uploaded,
  due: () => boolean = () => true,
): void {
  system.instead.set(`/probe/${hour}`, async () =>
    due() ? { status: 200, headers: {}, body: await system.archive(keys(system.uploaded)) } : system.empty(404),
  );
}

test('a journey passes every step; 14 keys, all of them synthetic; the other is warned', async () => {
  const system = fakeSystem();
  const ends: number[] = [];
  expect(await walk(system.deps, (end) => ends.push(end))).toBe(true);
  expect(ends).toEqual([Date.parse('2026-11-26T10:00:00Z') / 1_000]);
  expect(await told(system)).toEqual({ passed: ['configuration', 'index', ...chain], failed: [] });
  expect(system.uploaded).toHaveLength(14);
  expect(system.allSynthetic()).toBe(true);
  expect(system.log.lines).toEqual([]);
  expect(await system.metrics.seen('cwa.probe.step.duration', { 'cwa.probe.step': 'export' })).toBe(1);
});

test.each(['2026-11-26T00:00:01Z', '2026-11-26T00:05:00Z', '2026-11-26T23:59:59Z'])(
  'it passes at every time of the day: %s',
  async (time) => {
    const system = fakeSystem();
    system.clock.set(time);
    expect(await walk(system.deps)).toBe(true);
  },
);

const brokenSteps: [ProbeStep, string, object][] = [
  ['report', '/api/v1/lab/results', { reason: 'STATUS', status: 403 }],
  ['register', '/version/v1/registrationToken', { reason: 'STATUS', status: 403 }],
  ['result', '/version/v1/testresult', { reason: 'STATUS', status: 403 }],
  ['tan', '/version/v1/tan', { reason: 'STATUS', status: 403 }],
  ['upload', '/version/v1/diagnosis-keys', { reason: 'STATUS', status: 403 }],
];

test.each(brokenSteps)(
  '%s refused: told once, with the step and why, and the journey ends there',
  async (step, path, why) => {
    const system = fakeSystem();
    system.instead.set(path, system.empty(403));
    expect(await walk(system.deps)).toBe(false);
    const before = chain.slice(0, chain.indexOf(step as (typeof chain)[number]));
    expect(await told(system)).toEqual({ passed: ['configuration', 'index', ...before], failed: [step] });
    expect(system.log.lines).toEqual([{ level: 'error', event: 'probe-step-failed', step, ...why }]);
  },
);

test.each<[ProbeStep, string, (s: System) => void, object]>([
  [
    'result',
    'another result',
    (s) => s.instead.set('/version/v1/testresult', s.json(200, { testResult: 1 })),
    { reason: 'ANSWER' },
  ],
  [
    'tan',
    'no TAN in the answer',
    (s) => s.instead.set('/version/v1/tan', s.json(201, {})),
    { reason: 'UNREADABLE_ANSWER' },
  ],
  [
    'upload',
    'no answer',
    (s) =>
      s.instead.set('/version/v1/diagnosis-keys', () => {
        throw Object.assign(new Error('secret'), { code: 'ECONNREFUSED' });
      }),
    { reason: 'ECONNREFUSED' },
  ],
  [
    'index',
    'no index',
    (s) => s.instead.set('/version/v1/diagnosis-keys/country/DE/date', s.empty(404)),
    { reason: 'STATUS', status: 404 },
  ],
  [
    'index',
    'a day that is none',
    (s) => s.instead.set('/version/v1/diagnosis-keys/country/DE/date', s.json(200, ['2026-13-01'])),
    { reason: 'ANSWER' },
  ],
  [
    'index',
    'hours that are none',
    (s) => s.instead.set('/version/v1/diagnosis-keys/country/DE/date/2026-11-26/hour', s.json(200, ['x'])),
    { reason: 'ANSWER' },
  ],
  [
    'configuration',
    'a configuration that is not signed',
    (s) =>
      s.instead.set('/version/v2/app_config_android', {
        status: 200,
        headers: { etag: '"a"' },
        body: Buffer.from('x'),
      }),
    { reason: 'REFUSED_CONFIGURATION' },
  ],
])('%s, %s: told as failed', async (step, _what, breakIt, why) => {
  const system = fakeSystem();
  breakIt(system);
  expect(await walk(system.deps)).toBe(false);
  expect((await told(system)).failed).toEqual([step]);
  expect(system.log.lines).toEqual([{ level: 'error', event: 'probe-step-failed', step, ...why }]);
});

test('what is looked at for itself keeps nothing else from being walked', async () => {
  const system = fakeSystem();
  system.instead.set('/version/v2/app_config_android', system.empty(503));
  system.instead.set('/version/v1/diagnosis-keys/country/DE/date', system.empty(503));
  expect(await walk(system.deps)).toBe(false);
  expect(await told(system)).toEqual({ passed: [...chain], failed: ['configuration', 'index'] });
});

test('the archive may come later, in a later hour, and with keys of others', async () => {
  const system = fakeSystem();
  system.clock.set('2026-11-26T10:59:55Z');
  const hour = system.hourNow();
  archiveAt(system, hour, (uploaded) => uploaded.slice(1));
  const other = { keyData: Buffer.alloc(16, 7) };
  archiveAt(
    system,
    hour + 1,
    (uploaded) => [...uploaded, { ...uploaded[0], ...other } as (typeof uploaded)[number]],
    () => system.clock.now().getUTCMinutes() === 0 && system.clock.now().getUTCSeconds() > 10,
  );
  expect(await walkThroughTime(system)).toBe(true);
  expect(system.clock.now().getUTCHours()).toBe(11);
});

test('it stays findable when the clock leaps hours ahead', async () => {
  const system = fakeSystem();
  system.publishing = false;
  const hour = system.hourNow();
  archiveAt(system, hour + 3);
  system.instead.set(`/probe/${hour}`, () => {
    // As the clock of a mesh does: without the time between.
    const { nowMs } = system.clock;
    if (system.hourNow() === hour) Object.assign(system.clock, { nowMs: () => nowMs() + 26 * hourMs });
    return system.empty(404);
  });
  expect(await walkThroughTime(system)).toBe(true);
  const hours = system.asked.filter((asked) => asked.startsWith('GET /probe/')).map((asked) => Number(asked.slice(11)));
  expect(Math.max(...hours)).toBe(hour + 3);
});

test('an archive that does not come: told after the deadline', async () => {
  const system = fakeSystem();
  system.publishing = false;
  expect(await walkThroughTime(system)).toBe(false);
  expect(system.log.lines).toEqual([
    { level: 'error', event: 'probe-step-failed', step: 'export', reason: 'DEADLINE' },
  ]);
});

test('an archive that another key has signed: told at once', async () => {
  const system = fakeSystem();
  system.instead.set('/probe/' + system.hourNow(), async () => ({
    status: 200,
    headers: {},
    body: await system.archive(system.uploaded, system.otherSigner()),
  }));
  expect(await walk(system.deps)).toBe(false);
  expect(system.log.lines).toMatchObject([{ step: 'export', reason: 'SIGNATURE' }]);
});

test('keys that lost their level on the way warn nobody: told', async () => {
  const system = fakeSystem();
  archiveAt(system, system.hourNow(), (uploaded) => uploaded.map((key) => ({ ...key, transmissionRiskLevel: 1 })));
  expect(await walk(system.deps)).toBe(false);
  expect(system.log.lines).toMatchObject([{ step: 'match', reason: 'RISK' }]);
});

test('a stop while it waits is no failure of the system', async () => {
  const system = fakeSystem();
  system.publishing = false;
  const journey = walk(system.deps);
  await expect.poll(() => system.asked.some((asked) => asked.startsWith('GET /probe/'))).toBe(true);
  system.stop();
  expect(await journey).toBe(false);
  expect((await told(system)).failed).toEqual([]);
  expect(system.log.lines).toEqual([]);
});
