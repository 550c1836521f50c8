import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { onTestFinished, test } from 'vitest';

/** Threads that take a slot each in the same moment, again and again in new folders; rejects when one is refused. */
async function rivals(names: readonly string[], rounds: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'cwa-slots-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const met = new Int32Array(new SharedArrayBuffer(4 * rounds));
  const threads = names.map(
    (name) =>
      new Worker(new URL('fixtures/slot-rival.ts', import.meta.url), {
        workerData: { folder, met, name, crowd: names.length },
      }),
  );
  await Promise.all(threads.map((thread) => once(thread, 'exit')));
}

test('processes that begin in the same moment all make the folders that each of them found missing', () =>
  rivals(['gateway', 'submission', 'verification', 'distribution'], 25));

test('replicas that begin in the same moment come into folders of their own', () =>
  rivals(['gateway', 'gateway', 'gateway', 'gateway'], 25));
