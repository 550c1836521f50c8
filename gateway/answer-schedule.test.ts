import { expect, onTestFinished, test, vi } from 'vitest';
import { secureRandom, seededRandom } from '../lib/random/random.ts';
import { type Log, silentLog } from '../lib/telemetry/log.ts';
import { systemClock } from '../lib/time/clock.ts';
import { type AnswerKind, AnswerSchedule, type Schedule } from './answer-schedule.ts';
import { openHttp1 } from './fixtures/http1.ts';
import { phoneRequests } from './fixtures/phone-requests.ts';
import { areaUnderCurve, bound } from '../dev/bench/privacy/area-under-curve.ts';
import { startGateway } from './fixtures/start-gateway.ts';

const scheduleOf = (floorMs: number, log: Log = silentLog) =>
  new AnswerSchedule({ clock: systemClock, random: seededRandom('k'), log, floorMs, alarmEveryMs: 100 });

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

/** Milliseconds from arrival to the moment the answer leaves. */
async function leave(schedule: Schedule, kind: AnswerKind, bodyMs: number, workMs: number): Promise<number> {
  const start = systemClock.monotonicMs();
  const slot = schedule.arrive('upload');
  if (bodyMs > 0) await pause(bodyMs);
  slot.bodyEnded();
  if (workMs > 0) await pause(workMs);
  await new Promise<void>((done) => slot.ready(kind, done));
  return systemClock.monotonicMs() - start;
}

const times = <T>(count: number, work: () => Promise<T>) => Promise.all(Array.from({ length: count }, work));

/** What `work` comes to in a time of its own, in which a millisecond is as long as the machine needs. */
async function inOwnTime<T>(work: () => Promise<T>): Promise<T> {
  vi.useFakeTimers({ now: 0 });
  onTestFinished(() => void vi.useRealTimers());
  let over = false;
  const result = work().finally(() => (over = true));
  while (!over) await vi.advanceTimersByTimeAsync(1);
  return result;
}

test('S row 6, as decision 13 has it: an answer leaves at arrival + k × floor, never before', async () => {
  const left = await inOwnTime(() => {
    const schedule = scheduleOf(400);
    const at = (workMs: number, bodyMs = 0) => leave(schedule, 'accepted', bodyMs, workMs);
    return Promise.all([at(0), at(320), at(520), at(20, 100), at(20, 280)]);
  });
  // Of the last less than half a floor is left after the body: real or fake, the next slot is the first.
  expect(left).toEqual([400, 400, 800, 400, 800]);
});

test('a body held back until just before a slot does not tell real from fake', async () => {
  const rounds = Array.from({ length: 10 }, (_, i) => 40 + i * 6);
  const at = (kind: AnswerKind, workMs: number) =>
    inOwnTime(() => Promise.all(rounds.map((bodyMs) => leave(scheduleOf(100), kind, bodyMs, workMs))));
  const real = await at('refused', 20);
  expect(new Set(real)).toEqual(new Set([100, 200]));
  expect(await at('fake', 0)).toEqual(real);
});

test('a fake draws its k from accepted real answers; refused ones teach nothing', async () => {
  const { untaught, taught } = await inOwnTime(async () => {
    const schedule = scheduleOf(100);
    await times(50, () => leave(schedule, 'refused', 0, 350));
    const untaught = await leave(schedule, 'fake', 0, 0);
    await times(50, () => leave(schedule, 'accepted', 0, 250));
    return { untaught, taught: await times(20, () => leave(schedule, 'fake', 0, 0)) };
  });
  expect(untaught).toBe(100);
  expect(taught).toEqual(Array(20).fill(300));
});

test('what is learned of uploads does not make fake polls late', async () => {
  const schedule = scheduleOf(100);
  const poll = await inOwnTime(async () => {
    await times(50, () => leave(schedule, 'accepted', 0, 250));
    const start = systemClock.monotonicMs();
    const slot = schedule.arrive('result');
    slot.bodyEnded();
    await new Promise<void>((done) => slot.ready('fake', done));
    return systemClock.monotonicMs() - start;
  });
  expect(poll).toBe(100);
  expect(schedule.lateShare, 'each of so few would be seen in it').toBeUndefined();
  await inOwnTime(() => times(149, () => leave(schedule, 'accepted', 0, 250)));
  expect(schedule.lateShare, 'as in 199').toBeUndefined();
  await inOwnTime(() => leave(schedule, 'accepted', 0, 250));
  expect(schedule.lateShare).toBe(1);
});

test('slots that passed before the body was there make no answer late', async () => {
  const schedule = scheduleOf(100);
  const left = await inOwnTime(async () => {
    await times(50, () => leave(schedule, 'accepted', 230, 0));
    return leave(schedule, 'fake', 0, 0);
  });
  expect(left).toBe(100);
});

test.each([
  [150, 0, false],
  [0, 99, false],
  [0, 100, true],
  [198, 2, false],
  [198, 3, true],
])(
  'an alarm rises when k > 1 exceeds 1 % of 100 answers or more: %i on time, %i late: %s',
  async (onTime, late, rises) => {
    const events: string[] = [];
    await inOwnTime(async () => {
      const schedule = scheduleOf(20, { ...silentLog, warn: (event) => events.push(event) });
      await times(onTime, () => leave(schedule, 'accepted', 0, 0));
      await times(late, () => leave(schedule, 'accepted', 0, 30));
      await pause(150);
      schedule.close();
    });
    expect(events.includes('answer-floor-exceeded')).toBe(rises);
  },
);

test('what is left when the process ends is sent or forgotten, and nothing keeps waiting', () => {
  const schedule = scheduleOf(10_000);
  const sent: string[] = [];
  const slots = ['a', 'b', 'c'].map((name) => ({ name, slot: schedule.arrive('upload') }));
  slots[0]?.slot.ready('accepted', () => sent.push('a'));
  slots[1]?.slot.ready('accepted', () => sent.push('b'));
  slots[1]?.slot.abandon();
  expect(schedule.waiting).toBe(3);
  schedule.close();
  expect(sent).toEqual(['a']);
  expect(schedule.waiting).toBe(0);
});

/** Seen by a caller at the other end of real sockets: real and fake interleaved, 32 requests in flight. */
async function observed(options: { meshMs: number; plantMs?: number; samples: number }) {
  const inner = new AnswerSchedule({ clock: systemClock, random: secureRandom, log: silentLog, floorMs: 100 });
  const planted: Schedule = {
    close: () => inner.close(),
    get lateShare() {
      return inner.lateShare;
    },
    arrive: (group) => {
      const slot = inner.arrive(group);
      const later = (send: () => void) => () => void setTimeout(send, options.plantMs);
      return {
        bodyEnded: slot.bodyEnded,
        abandon: slot.abandon,
        ready: (kind, send) => slot.ready(kind, kind === 'accepted' && options.plantMs ? later(send) : send),
      };
    },
  };
  const gateway = await startGateway({ meshMs: options.meshMs, schedule: planted });
  const times = { real: [] as number[], fake: [] as number[] };
  const routes = Object.values(phoneRequests);
  await Promise.all(
    Array.from({ length: 32 }, async (_, worker) => {
      const client = await openHttp1({ port: gateway.phonePort, ca: gateway.ca });
      const random = seededRandom(`${worker}`);
      for (let i = 0; i < options.samples / 32; i++) {
        const kind = random.int(2) === 0 ? 'real' : 'fake';
        const route = routes[random.int(routes.length)];
        if (route === undefined) continue;
        const got = await client.send(route[kind]);
        expect(got.status).toBe(route.status);
        times[kind].push(got.ms);
      }
      client.close();
    }),
  );
  await gateway.close();
  return { auc: areaUnderCurve(times.real, times.fake), bound: bound(times.real.length, times.fake.length), times };
}

test('20 ms of work inside the handlers do not show in when answers leave (800 samples)', async () => {
  const { auc, bound } = await observed({ meshMs: 20, samples: 800 });
  expect(auc).toBeLessThanOrEqual(bound);
});

test('a planted difference of 8 ms in when answers leave makes the same statistic red', async () => {
  const { auc, bound } = await observed({ meshMs: 20, plantMs: 8, samples: 800 });
  expect(auc).toBeGreaterThan(bound);
});
