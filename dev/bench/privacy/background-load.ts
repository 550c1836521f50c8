import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchRun } from '../bench.ts';
import type { LoadJob, LoadMessage } from '../load/job.ts';
import { tokenSeed } from '../polls.ts';
import { floorMs, type ObservedMesh } from './observe.ts';

/**
 * Polls from a process of its own, until `end` is called. A connection asks once in one and a half floors on
 * average, so that their number sets the rate. Resolves when all of them ask.
 */
export async function startBackground(run: BenchRun, { mesh, tokenCount }: ObservedMesh, perSecond: number) {
  const job: LoadJob = {
    port: mesh.ports.GATEWAY_PHONE_PORT,
    ca: readFileSync(join(mesh.home, 'pki', 'ca.crt'), 'utf8'),
    connections: Math.max(1, Math.round((perSecond * 1.5 * floorMs) / 1_000)),
    pauseMs: floorMs,
    warmUpMs: 3_000,
    measureMs: 3_600_000,
    expectedStatus: 200,
    requests: { kind: 'polls', seed: tokenSeed, count: tokenCount },
  };
  const generator = fork(join(import.meta.dirname, '..', 'load', 'generator.ts'), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const ended = new Promise<void>((done) => generator.once('exit', () => done()));
  const end = async (): Promise<void> => {
    generator.kill('SIGKILL');
    await ended;
  };
  run.defer(end);
  await new Promise<void>((resolve, reject) => {
    generator.on('message', (message: LoadMessage) => {
      if (message.phase === 'measuring') resolve();
      if (message.phase === 'failed') reject(new Error(message.reason));
    });
    void ended.then(() => reject(new Error('the background load ended early')));
    generator.send(job);
  });
  return { end };
}
