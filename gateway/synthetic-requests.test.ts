import { expect, test } from 'vitest';
import { PROBE_HEADER, signProbeRequest } from '../lib/exposure/probe-request.ts';
import { fakeClock } from '../lib/testing/clock.ts';
import { syntheticRequests } from './synthetic-requests.ts';

const secret = 'a secret of the prober and of the gateway';
const path = '/version/v1/tan';
const nonce = (n: number): string => n.toString(16).padStart(32, '0');

function scene() {
  const clock = fakeClock('2026-11-26T10:20:00Z');
  const requests = syntheticRequests(secret, clock);
  const now = (): number => clock.nowMs() / 1_000;
  const sent = (header: string | undefined, to = path): boolean =>
    requests.recognise(to, { header: (name) => (name === PROBE_HEADER ? header : undefined) });
  const header = (n: number, seconds = now()): string => signProbeRequest(secret, path, { seconds, nonce: nonce(n) });
  return { clock, now, sent, header };
}

test('a header is good once, for its path', () => {
  const { sent, header } = scene();
  expect(sent(header(1), '/version/v1/testresult')).toBe(false);
  expect(sent(header(1))).toBe(true);
  expect(sent(header(1))).toBe(false);
  expect(sent(header(2))).toBe(true);
  expect(sent(undefined)).toBe(false);
});

test('a header is good for a minute before and after its time, and cannot be used again as long as it would be', () => {
  const { clock, now, sent, header } = scene();
  expect([-61, -60, 60, 61].map((skew, n) => sent(header(n, now() + skew)))).toEqual([false, true, true, false]);
  const early = header(9, now() + 60);
  expect(sent(early)).toBe(true);
  for (let second = 0; second < 130; second += 10) {
    clock.advance(10_000);
    expect(sent(early)).toBe(false);
    expect(sent(header(100 + second))).toBe(true);
  }
});

test('what is remembered is bounded, and forgotten in time', () => {
  const { clock, sent, header } = scene();
  for (let n = 0; n < 10_000; n++) expect(sent(header(n))).toBe(true);
  expect(sent(header(10_000))).toBe(false);
  clock.advance(121_000);
  expect(sent(header(10_001))).toBe(true);
});
