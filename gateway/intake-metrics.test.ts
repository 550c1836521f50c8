import { expect, test } from 'vitest';
import { systemClock } from '../lib/time/clock.ts';
import { openHttp1 } from './fixtures/http1.ts';
import { phoneRequests } from './fixtures/phone-requests.ts';
import { startGateway } from './fixtures/start-gateway.ts';
import { startPhonePort } from './gateway.ts';
import { IntakeMetrics } from './intake-metrics.ts';

const valueOf = (text: string, series: string): number =>
  Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${series} `))
      ?.split(' ')[1] ?? Number.NaN,
  );
const answered = 'cwa_gateway_requests_total{route="upload",outcome="answered"}';

test('S 1.12, decision 34: counters show steps of 5, and only once a minute', async () => {
  const metrics = new IntakeMetrics({ lateShare: () => 0.0149, everyMs: 40 });
  for (let i = 0; i < 4; i++) metrics.count('upload', 'answered', 501);
  await systemClock.sleep(100);
  expect(valueOf(metrics.text(), answered)).toBe(0);
  for (let i = 0; i < 5; i++) metrics.count('upload', 'answered', 501);
  expect(valueOf(metrics.text(), answered)).toBe(0);
  await systemClock.sleep(100);
  expect(valueOf(metrics.text(), answered)).toBe(5);
  expect(valueOf(metrics.text(), 'cwa_gateway_late_answer_ratio')).toBe(0.01);
  metrics.close();
});

test('the histogram is cumulative, in steps of 5, and agrees with its count', async () => {
  const metrics = new IntakeMetrics({ lateShare: () => 0, everyMs: 20 });
  for (let i = 0; i < 12; i++) metrics.count('tan', 'answered', 501);
  for (let i = 0; i < 7; i++) metrics.count('tan', 'failed', 20_000);
  await systemClock.sleep(60);
  const at = (le: string) => valueOf(metrics.text(), `cwa_gateway_answer_seconds_bucket{route="tan",le="${le}"}`);
  expect([at('0.5'), at('0.51'), at('10'), at('+Inf')]).toEqual([0, 10, 10, 15]);
  expect(valueOf(metrics.text(), 'cwa_gateway_answer_seconds_count{route="tan"}')).toBe(15);
  metrics.close();
});

test('real and fake requests are counted alike; labels are route and coarse outcome alone', async () => {
  const texts = await Promise.all(
    (['real', 'fake'] as const).map(async (kind) => {
      const gateway = await startGateway();
      const metrics = new IntakeMetrics({ lateShare: () => 0, everyMs: 20 });
      const port = await startPhonePort({ ...gateway.deps, metrics });
      const client = await openHttp1({ port: port.port, ca: gateway.ca });
      for (const route of Object.values(phoneRequests)) for (let i = 0; i < 5; i++) await client.send(route[kind]);
      await systemClock.sleep(60);
      client.close();
      await port.close(200);
      metrics.close();
      await gateway.close();
      return metrics.text();
    }),
  );
  const counters = texts.map((text) => text.split('\n').filter((line) => line.startsWith('cwa_gateway_requests')));
  expect(counters[0]).toEqual(counters[1]);
  expect(counters[0]?.filter((line) => line.endsWith(' 5'))).toHaveLength(4);
  const labels = new Set([...(texts[0] ?? '').matchAll(/([a-z]+)="/g)].map(([, name]) => name));
  expect([...labels].sort()).toEqual(['le', 'outcome', 'route']);
});
