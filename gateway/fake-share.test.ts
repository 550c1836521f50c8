import { expect, test } from 'vitest';
import { fakeClock } from '../lib/testing/clock.ts';
import { FakeShare } from './fake-share.ts';

const minuteMs = 60_000;
const add = (share: FakeShare, fakes: number, real: number): void => {
  for (let i = 0; i < fakes; i++) share.add(true);
  for (let i = 0; i < real; i++) share.add(false);
};

test('the last full hour counts, and only from 1,000 requests on', () => {
  const clock = fakeClock('2026-03-01T10:30:00Z');
  const share = new FakeShare(clock);
  add(share, 900, 900);
  clock.advance(30 * minuteMs);
  expect(share.value(), 'the hour of the start is not full').toBeUndefined();
  add(share, 750, 250);
  expect(share.value(), 'the running hour is not full').toBeUndefined();
  clock.advance(60 * minuteMs);
  expect(share.value()).toBe(0.75);
  add(share, 999, 0);
  expect(share.value()).toBe(0.75);
  clock.advance(60 * minuteMs);
  expect(share.value(), 'too few').toBeUndefined();
  add(share, 0, 1_000);
  clock.advance(60 * minuteMs);
  expect(share.value()).toBe(0);
  clock.advance(60 * minuteMs);
  expect(share.value(), 'an hour without any').toBeUndefined();
});

test('nothing is kept for a request', () => {
  const share = new FakeShare(fakeClock('2026-03-01T10:30:00Z'));
  add(share, 3, 4);
  expect(Object.keys(share)).toEqual([]);
});
