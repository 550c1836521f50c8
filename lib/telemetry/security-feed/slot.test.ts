import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';

/** Threads take a slot each in the same moment, again in each round; rejects when one is refused, answers their folders. */
async function rivals(names: readonly string[], rounds: number): Promise<Set<string>> {
  const folder = mkdtempSync(join(tmpdir(), 'cwa-slots-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const met = new Int32Array(new SharedArrayBuffer(4 * rounds));
  const threads = names.map(
    (name) =>
      new Worker(new URL('fixtures/slot-rival.ts', import.meta.url), {
        workerData: { folder, met, name, crowd: names.length },
      }),
  );
  const folders = new Set<string>();
  for (const thread of threads) {
    thread.on('message', (taken: readonly string[]) => {
      for (const one of taken) folders.add(one);
    });
  }
  await Promise.all(threads.map((thread) => once(thread, 'exit')));
  return folders;
}

test('processes that begin in the same moment all make the folders that each of them found missing', async () => {
  expect((await rivals(['gateway', 'submission', 'verification', 'distribution'], 25)).size).toBe(100);
});

test('replicas that begin in the same moment come into folders of their own', async () => {
  expect((await rivals(['gateway', 'gateway', 'gateway', 'gateway'], 25)).size).toBe(100);
});
