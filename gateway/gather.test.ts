import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { TracerProvider } from '@opentelemetry/sdk-trace';
import { expect, test } from 'vitest';
import { RpcError, unavailable } from '../lib/rpc/errors.ts';
import { inTrace, isTraced } from '../lib/telemetry/tracing.ts';
import { systemClock } from '../lib/time/clock.ts';
import { gather } from './gather.ts';

const settings = { clock: systemClock, windowMs: 3, maxItems: 200 };

test('items of one window go as one call, each with its own outcome, in order', async () => {
  const calls: number[][] = [];
  const double = gather<number, number>({
    ...settings,
    call: async (items) => {
      calls.push([...items]);
      return items.map((item) => item * 2);
    },
  });
  expect(await Promise.all([1, 2, 3].map(double))).toEqual([2, 4, 6]);
  expect(await double(4)).toBe(8);
  expect(calls).toEqual([[1, 2, 3], [4]]);
});

test('a full call leaves at once; large items split by their size', async () => {
  const calls: number[] = [];
  const call = async (items: readonly number[]) => {
    calls.push(items.length);
    return items;
  };
  const byCount = gather<number, number>({ ...settings, windowMs: 10_000, maxItems: 5, call });
  await Promise.all(Array.from({ length: 10 }, (_, i) => byCount(i)));
  const bySize = gather<number, number>({ ...settings, call, maxBytes: 100, sizeOf: (size) => size });
  await Promise.all([60, 60, 500, 20, 30].map(bySize));
  expect(calls).toEqual([5, 5, 1, 1, 1, 2]);
});

test("one item's failure stays its own: a call that fails as a whole is divided", async () => {
  let calls = 0;
  const work = gather<number, number>({
    ...settings,
    call: async (items) => {
      calls++;
      if (items.includes(7)) throw new RpcError('INTERNAL', 'POISON');
      return items;
    },
  });
  const results = await Promise.allSettled(Array.from({ length: 100 }, (_, i) => work(i)));
  expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(1);
  expect(results[7]).toMatchObject({ reason: { reason: 'POISON' } });
  expect(calls).toBeLessThan(20);
});

test('an unreachable or slow service is asked once, not divided', async () => {
  for (const error of [unavailable('UNREACHABLE'), new RpcError('DEADLINE_EXCEEDED', 'DEADLINE')]) {
    let calls = 0;
    const work = gather<number, number>({
      ...settings,
      call: async () => {
        calls++;
        throw error;
      },
    });
    const results = await Promise.allSettled([1, 2, 3].map(work));
    expect(results.every(({ status }) => status === 'rejected')).toBe(true);
    expect(calls).toBe(1);
  }
});

test('an answer with too few outcomes fails all its items and is given to none', async () => {
  const work = gather<number, number>({ ...settings, call: async (items) => items.slice(1) });
  const results = await Promise.allSettled([1, 2].map(work));
  expect(results.every(({ status }) => status === 'rejected')).toBe(true);
});

test('decision 34: a call for many is in no trace, whoever came first or filled it', async () => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(new TracerProvider());
  try {
    const traced: boolean[] = [];
    const call = async (items: readonly number[]) => {
      traced.push(isTraced());
      return items;
    };
    const later = gather<number, number>({ ...settings, call });
    const full = gather<number, number>({ ...settings, windowMs: 10_000, maxItems: 2, call });
    const inItsOwn = (work: () => Promise<number>) =>
      inTrace('lab', {}, () => {
        expect(isTraced()).toBe(true);
        return work();
      });
    await Promise.all([inItsOwn(() => later(1)), later(2)]);
    await Promise.all([full(3), inItsOwn(() => full(4))]);
    expect(traced).toEqual([false, false]);
  } finally {
    trace.disable();
    context.disable();
  }
});
