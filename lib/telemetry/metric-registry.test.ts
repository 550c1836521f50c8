import { expect, test } from 'vitest';
import { recordedMetrics } from '../testing/telemetry.ts';
import { stepped } from './metric-registry.ts';

const route = { 'http.route': 'upload' } as const;

test('S 1.12, decision 34: counters show steps of 5, and only after a flush', async () => {
  const metrics = recordedMetrics('gateway');
  const answered = { ...route, 'cwa.outcome': 'answered' } as const;
  for (let i = 0; i < 4; i++) metrics.count('cwa.gateway.requests', answered);
  expect(await metrics.seen('cwa.gateway.requests', answered)).toBe(0);
  metrics.count('cwa.gateway.requests', answered);
  const before = metrics.shown();
  expect(JSON.stringify(before)).not.toContain('"value":5');
  expect(await metrics.seen('cwa.gateway.requests', answered)).toBe(5);
});

test('buckets of a histogram are in steps of 5 from below, and agree with its count', async () => {
  const metrics = recordedMetrics('gateway');
  for (let i = 0; i < 12; i++) metrics.record('http.server.request.duration', route, 0.501);
  for (let i = 0; i < 7; i++) metrics.record('http.server.request.duration', route, 20);
  await metrics.flush();
  const data = metrics.shown().metrics.find(({ descriptor }) => descriptor.name === 'http.server.request.duration');
  const value = data?.dataPoints.find(({ attributes }) => attributes['http.route'] === 'upload')?.value;
  expect(value).toMatchObject({ count: 15 });
  const { counts, boundaries } = (value as { buckets: { counts: number[]; boundaries: number[] } }).buckets;
  expect([counts[boundaries.indexOf(0.51)], counts.at(-1)]).toEqual([10, 5]);
});

test('decision 34: nothing of a histogram moves with a single value, neither its sum nor any of its bounds', async () => {
  const metrics = recordedMetrics('submission');
  const row = { 'db.operation.name': 'read-page', 'cwa.outcome': 'done' } as const;
  const shown = async () => {
    await metrics.flush();
    const data = metrics.shown().metrics.find(({ descriptor }) => descriptor.name === 'db.client.operation.duration');
    return JSON.stringify(data?.dataPoints.map(({ value }) => value));
  };
  const seen: (string | undefined)[] = [await shown()];
  for (let i = 0; i < 40; i++) {
    metrics.record('db.client.operation.duration', row, [0.0005, 0.002, 0.004, 0.02, 0.3][(i * i) % 5] as number);
    const now = await shown();
    if (now !== seen.at(-1)) seen.push(now);
  }
  expect(seen).toHaveLength(1 + 40 / 5);
  expect(seen[0], 'no row tells of a first transaction').toBeUndefined();
});

test('observed values are read at a flush, in steps too; a read that fails is absent and harms no other', async () => {
  const metrics = recordedMetrics('distribution');
  metrics.observe('cwa.distribution.keys.waiting', () => [{ attributes: {}, value: 449 }]);
  metrics.observe('cwa.distribution.next_run', () => Promise.reject(new Error('down')));
  expect(await metrics.seen('cwa.distribution.keys.waiting')).toBe(300);
  expect(metrics.shown().metrics.map(({ descriptor }) => descriptor.name)).not.toContain('cwa.distribution.next_run');
});

test('rows with known values begin at 0; what belongs to another process is not counted', async () => {
  const metrics = recordedMetrics('submission');
  await metrics.flush();
  const uploads = metrics
    .shown()
    .metrics.find(({ descriptor }) => descriptor.name === 'submission_controller.requests');
  expect(uploads?.dataPoints).toHaveLength(6);
  metrics.count('cwa.gateway.requests', { ...route, 'cwa.outcome': 'answered' }, 50);
  expect(await metrics.seen('cwa.gateway.requests')).toBe(0);
});

test('rows of open attributes are bounded', async () => {
  const metrics = recordedMetrics('gateway');
  for (let i = 0; i < 2_000; i++) {
    metrics.count('cwa.lab.requests', { 'cwa.partner': `partner ${i}`, 'cwa.outcome': 'answered' });
  }
  expect(await metrics.seen('cwa.lab.requests')).toBe(500);
});

test.each([
  [4.9, 5, 0],
  [0.30000000000000004, 0.1, 0.3],
  [-1, 60, -60],
  [123.456, 0, 123.456],
])('%d in steps of %d is %d', (value, step, shown) => expect(stepped(value, step)).toBe(shown));

test('calls and transactions that phones cause are echoes of what is counted already: seen from 50 on', async () => {
  const metrics = recordedMetrics('submission');
  const upload = { 'rpc.service': 'cwa.submission.v1.SubmissionService', 'rpc.method': 'SubmitKeys' } as const;
  const keys = { 'rpc.service': 'cwa.submission.v1.DiagnosisKeyService', 'rpc.method': 'StreamDiagnosisKeys' } as const;
  const all = (times: number) => {
    for (let i = 0; i < times; i++) {
      for (const call of [upload, keys]) {
        metrics.record('rpc.server.call.duration', { ...call, 'rpc.response.status_code': 'OK' }, 0.01);
      }
      for (const name of ['store-uploads', 'read-page']) {
        metrics.record('db.client.operation.duration', { 'db.operation.name': name, 'cwa.outcome': 'done' }, 0.01);
      }
    }
  };
  const seen = async () => [
    await metrics.seen('rpc.server.call.duration', upload),
    await metrics.seen('rpc.server.call.duration', keys),
    await metrics.seen('db.client.operation.duration', { 'db.operation.name': 'store-uploads' }),
    await metrics.seen('db.client.operation.duration', { 'db.operation.name': 'read-page' }),
  ];
  all(49);
  expect(await seen()).toEqual([0, 45, 0, 45]);
  all(2);
  expect(await seen()).toEqual([50, 50, 50, 50]);
});
