import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { SecurityRecord } from './record.ts';
import { Repeats } from './repeats.ts';

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'cwa-repeats-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const overload = (id: string, route = 'download'): SecurityRecord => ({
  id,
  time: '2026-01-01T00:00:00.000Z',
  process: 'gateway',
  type: 'overload',
  route,
  count: 1,
});

function repeats(folder: string) {
  const told: SecurityRecord[] = [];
  return { told, repeats: new Repeats({ tell: (record) => told.push(record), folder }) };
}

test('what was counted when the process died is told by the next, under the same id, once', () => {
  const folder = temporaryFolder();
  const first = repeats(folder);
  for (const id of ['a', 'b', 'c']) first.repeats.take(overload(id));
  first.repeats.store();
  expect(first.told).toEqual([overload('a')]);

  expect(repeats(folder).told).toEqual([{ ...overload('b'), count: 2 }]);
  expect(repeats(folder).told).toEqual([]);
});

test('events of more kinds than there are are folded by their type', () => {
  const { told, repeats: flooded } = repeats(temporaryFolder());
  for (let kind = 0; kind < 10_000; kind++) flooded.take(overload(String(kind), `route-${kind}`));
  flooded.close();
  expect(told).toHaveLength(502);
  expect(told.at(-1)).toMatchObject({ type: 'overload', count: 9_499 });
  expect(told.at(-1)).not.toHaveProperty('route');
});
