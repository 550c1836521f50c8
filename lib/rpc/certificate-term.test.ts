import { expect, test } from 'vitest';
import type { SecurityEvent } from '../telemetry/security.ts';
import { fakeClock } from '../testing/clock.ts';
import { recordedMetrics } from '../testing/telemetry.ts';
import { watchTerm } from './certificate-term.ts';

const dayMs = 86_400_000;

test('the time that is left is a metric, below 14 days also a security event a day', async () => {
  const clock = fakeClock('2026-03-01T00:00:00Z');
  const metrics = recordedMetrics('gateway');
  const events: SecurityEvent[] = [];
  const security = { report: (event: SecurityEvent) => void events.push(event) };
  const notAfter = new Date('2026-03-16T12:00:00Z');
  const stop = watchTerm({ notAfter: () => notAfter }, 'edge', { clock, metrics, security }, 1);
  const look = () => new Promise((done) => setTimeout(done, 20));

  expect(await metrics.seen('cwa.certificate.remaining', { 'cwa.certificate': 'edge' })).toBe(15.5 * 86_400);
  clock.advance(dayMs);
  await look();
  expect(events).toEqual([]);
  for (const hours of [12, 1, 23, 1]) {
    clock.advance(hours * 3_600_000);
    await look();
  }
  stop();
  expect(events).toEqual([
    { type: 'certificate-expiring', certificate: 'edge', days: 13 },
    { type: 'certificate-expiring', certificate: 'edge', days: 12 },
  ]);
  clock.set('2026-03-17T12:00:00Z');
  expect(await metrics.seen('cwa.certificate.remaining')).toBe(-86_400);
});
