import { ConfigError } from '../lib/process/config.ts';
import { homeOf } from './home.ts';
import { guidedJourney } from './journey/guided-journey.ts';
import { terminal } from './journey/terminal.ts';
import { serveControl } from './mesh/control.ts';
import { type Mesh, markReady, startMesh } from './mesh/mesh.ts';

/** `npm start`: the whole system on this machine, one guided journey, then it keeps running until it is stopped. */
const started = performance.now();
const home = homeOf(process.env);
const stopping = new AbortController();
let opening: Promise<Mesh> | undefined;
let closeControl: (() => Promise<void>) | undefined;

const stop = async (): Promise<void> => {
  if (stopping.signal.aborted) return;
  stopping.abort();
  markReady(home, false);
  // An interrupt during the start waits for it: what is half open cannot be closed in order.
  const mesh = await opening?.catch(() => undefined);
  if (mesh) terminal.line('stopping …');
  await closeControl?.();
  await mesh?.close();
  if (mesh) terminal.line('stopped');
};
process.on('SIGINT', stop);
process.on('SIGTERM', stop);

try {
  markReady(home, false);
  opening = startMesh({ home, env: process.env, onProgress: terminal.line });
  const running = await opening;
  stopping.signal.throwIfAborted();
  closeControl = await serveControl(home, {
    clock: () => ({
      now: running.clock.now().toISOString(),
      systemNow: new Date().toISOString(),
      offsetMs: running.clock.nowMs() - Date.now(),
    }),
    advance: async (ms) => {
      const distributionRuns = await running.advanceTo(running.clock.nowMs() + ms);
      return { now: running.clock.now().toISOString(), distributionRuns };
    },
    distributionDatabase: () => ({ url: running.databaseUrl('DISTRIBUTION') }),
    runDistribution: () => running.runDistribution(),
  });
  watchProcesses(running);
  if (!stopping.signal.aborted) {
    const held = await guidedJourney(running, terminal);
    if (!held) throw new Error('the guided journey did not hold; the lines above say which step');
    markReady(home, true);
    whatIsWhere(running);
    terminal.line(`ready ${((performance.now() - started) / 1000).toFixed(1)} s`);
    void distributeEveryMinute(running);
  }
} catch (error) {
  if (!stopping.signal.aborted) {
    const lines =
      error instanceof ConfigError ? error.faults : [error instanceof Error ? error.message : String(error)];
    for (const line of lines) process.stderr.write(`${line}\n`);
    process.exitCode = 1;
    await stop();
  }
}

/** The scheduler of a local run; production has a cron job. */
async function distributeEveryMinute(running: Mesh): Promise<void> {
  while (!stopping.signal.aborted) {
    await running.clock.sleep(60_000, stopping.signal).catch(() => {});
    if (stopping.signal.aborted) return;
    await running
      .runDistribution()
      .catch(() => terminal.line('a distribution run failed; see the log of distribution'));
  }
}

/** A process that dies outside a stop is said at once; the others go on, as they would in a cluster. */
function watchProcesses(running: Mesh): void {
  for (const child of running.processes.values()) {
    void child.ended.then((status) => {
      if (!stopping.signal.aborted)
        terminal.line(`${child.name} ended (status ${status ?? 'killed'}); see ${home}/log`);
    });
  }
}

function whatIsWhere(running: Mesh): void {
  const { ports } = running;
  terminal.line('');
  terminal.line(`phones      https://localhost:${ports.GATEWAY_PHONE_PORT}   (trust ${home}/pki/ca.crt)`);
  terminal.line(
    `partners    https://localhost:${ports.GATEWAY_PARTNER_PORT}   (client certificate ${home}/pki/lab.crt)`,
  );
  terminal.line(
    `management  http://127.0.0.1:${ports.GATEWAY_MANAGEMENT_PORT} … ${ports.DISTRIBUTION_MANAGEMENT_PORT}   (/health/ready, /metrics)`,
  );
  terminal.line(`export key  ${home}/pki/export-public.pem`);
  terminal.line(`mesh time   ${running.clock.now().toISOString()}   (npx cwa clock, npx cwa clock advance 3h)`);
  terminal.line(`logs        ${home}/log`);
}
