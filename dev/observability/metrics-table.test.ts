import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { testTelemetry } from '../../lib/testing/telemetry.ts';
import { repositoryRoot } from '../mesh/child.ts';
import { withMetricsTable } from './metrics-table.ts';
import { prometheusMetrics } from './prometheus-names.ts';

test('the table of docs/observability.md is what the catalog says: npm run dashboards', () => {
  const document = readFileSync(join(repositoryRoot, 'docs/observability.md'), 'utf8');

  expect(withMetricsTable(document)).toBe(document);
});

test('the names are those that a process writes', async () => {
  const telemetry = await testTelemetry('gateway');
  telemetry.metrics.record('rpc.client.call.duration', anyCall, 0.1);
  await telemetry.registry.flush();
  const server = createServer((request, response) => telemetry.answerMetrics(request, response));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`);
  const text = await answer.text();
  server.close();
  await telemetry.close();

  const known = new Map(prometheusMetrics().flatMap(({ series, labels }) => series.map((name) => [name, labels])));
  const lines = text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#') && !line.startsWith('target_info'));
  expect(lines.length).toBeGreaterThan(50);
  for (const line of lines) {
    const name = /^[^{ ]+/.exec(line)?.[0] ?? '';
    const written = [...(/\{(.*)\}/.exec(line)?.[1] ?? '').matchAll(/(\w+)="/g)].map((match) => match[1] ?? '');
    expect(known.has(name), name).toBe(true);
    expect(Object.keys(known.get(name) ?? {}).sort(), name).toEqual(written.filter((label) => label !== 'le').sort());
  }
});

const anyCall = { 'rpc.service': 'a.B', 'rpc.method': 'C', 'rpc.response.status_code': 'OK' };
