import { join } from 'node:path';
import { ConfigError, type Env } from '../lib/process/config.ts';
import { commitOf } from './commit.ts';
import { homeOf } from './home.ts';
import { guidedJourney } from './journey/guided-journey.ts';
import { terminal } from './journey/terminal.ts';
import type { MeshProcess } from './mesh/child.ts';
import { serveControl } from './mesh/control.ts';
import { makeHome, markReady } from './mesh/home.ts';
import { type Mesh, startMesh } from './mesh/mesh.ts';
import { startOtlpReceiver } from './observability/otlp-receiver.ts';

export interface LocalRunOptions {
  readonly stay: boolean;
  /** Receives what the processes send over OTLP, into `.cwa/telemetry`. */
  readonly telemetry?: boolean;
}

/**
 * The whole system on this machine and one guided journey. With `stay` it keeps running until it is stopped; without,
 * it stops, and the exit status tells whether every step held.
 */
export async function localRun({ stay, telemetry = false }: LocalRunOptions): Promise<void> {
  const started = performance.now();
  const home = homeOf(process.env);
  const stopping = new AbortController();
  const opening = openMesh(home, telemetry);
  let closeControl: (() => Promise<void>) | undefined;

  const stop = async (): Promise<void> => {
    if (stopping.signal.aborted) return;
    stopping.abort();
    // An interrupt during the start waits for it: what is half open cannot be closed in order.
    const mesh = await opening.catch(() => undefined);
    if (mesh === undefined) return;
    terminal.line('stopping …');
    markReady(home, false);
    await closeControl?.();
    await mesh.close();
    terminal.line('stopped');
  };
  const watch = onParentGone(() => void stop());
  process.on('SIGINT', stop).on('SIGTERM', stop);

  try {
    const mesh = await opening;
    stopping.signal.throwIfAborted();
    closeControl = await serveControl(home, controlOf(mesh));
    watchProcesses(mesh, [...mesh.processes.values(), ...mesh.companions], stopping.signal);
    const held = await guidedJourney(mesh, terminal);
    stopping.signal.throwIfAborted();
    if (!held) throw new Error('the guided journey did not hold; the lines above say which step');
    if (stay) {
      markReady(home, true);
      whatIsWhere(mesh);
      terminal.line(`ready ${((performance.now() - started) / 1000).toFixed(1)} s`);
      void startProber(mesh, stopping.signal);
      void startIdentityProvider(mesh, stopping.signal);
      await distributeEveryMinute(mesh, stopping.signal);
    } else await stop();
  } catch (error) {
    const interrupted = stopping.signal.aborted;
    // Of an interrupted journey nobody knows whether every step would have held.
    if (!interrupted || !stay) process.exitCode = 1;
    if (interrupted) return;
    const lines =
      error instanceof ConfigError ? error.faults : [error instanceof Error ? error.message : String(error)];
    for (const line of lines) process.stderr.write(`${line}\n`);
    await stop();
  } finally {
    watch();
  }
}

async function openMesh(home: string, telemetry: boolean): Promise<Mesh> {
  const env: Env = { ...process.env, ...commitOf(process.env) };
  const open = (more: Env = {}) => startMesh({ home, env: { ...env, ...more }, onProgress: terminal.line });
  if (!telemetry) return open();
  makeHome(home);
  const receiver = await startOtlpReceiver({ folder: join(home, 'telemetry'), kept: 0 });
  terminal.line(`telemetry   ${home}/telemetry`);
  const mesh = await open({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint }).catch(async (error) => {
    await receiver.close();
    throw error;
  });
  // The processes send their last when they stop.
  return { ...mesh, close: () => mesh.close().then(() => receiver.close()) };
}

function controlOf(mesh: Mesh) {
  return {
    clock: () => ({
      now: mesh.clock.now().toISOString(),
      systemNow: new Date().toISOString(),
      offsetMs: mesh.clock.nowMs() - Date.now(),
    }),
    advance: async (ms: number, signal: AbortSignal) => {
      const distributionRuns = await mesh.advanceTo(mesh.clock.nowMs() + ms, undefined, signal);
      return { now: mesh.clock.now().toISOString(), distributionRuns };
    },
    distributionDatabase: () => ({ url: mesh.databaseUrl('DISTRIBUTION') }),
    runDistribution: () => mesh.runDistribution(),
  };
}

/** npm starts a shell that starts us; when it is killed, the shell dies without a word to us. Answers what ends the watch. */
function onParentGone(stop: () => void): () => void {
  const parent = process.ppid;
  if (process.env['npm_lifecycle_event'] === undefined) return () => {};
  const timer = setInterval(() => {
    if (process.ppid !== parent) stop();
  }, 500).unref();
  return () => clearInterval(timer);
}

/** After everything else: it watches what runs, and must not be in the way of its start. `CWA_PROBER=off` leaves it out. */
async function startProber(mesh: Mesh, stopping: AbortSignal): Promise<void> {
  if (process.env['CWA_PROBER'] === 'off') return;
  await startLate(mesh, 'prober', stopping, async () => {
    await mesh.startProber();
    return mesh.processes.get('prober');
  });
}

/** Who wants a token waits for it: nothing of the journey does. `CWA_IDENTITY_PROVIDER=off` leaves it out. */
async function startIdentityProvider(mesh: Mesh, stopping: AbortSignal): Promise<void> {
  if (process.env['CWA_IDENTITY_PROVIDER'] === 'off') return;
  await startLate(mesh, 'identity provider', stopping, () => mesh.startIdentityProvider());
}

async function startLate(
  mesh: Mesh,
  name: string,
  stopping: AbortSignal,
  start: () => Promise<MeshProcess | undefined>,
): Promise<void> {
  try {
    const started = await start();
    if (started !== undefined) watchProcesses(mesh, [started], stopping);
  } catch (error) {
    if (stopping.aborted) return;
    const lines = error instanceof ConfigError ? error.faults : [`the ${name} did not start; see its log`];
    for (const line of lines) terminal.line(line);
  }
}

/** The scheduler of a local run; production has a cron job. */
async function distributeEveryMinute(mesh: Mesh, stopping: AbortSignal): Promise<void> {
  while (!stopping.aborted) {
    await mesh.clock.sleep(60_000, stopping).catch(() => {});
    if (stopping.aborted) return;
    await mesh.runDistribution().catch(() => terminal.line('a distribution run failed; see the log of distribution'));
  }
}

/** A process that dies outside a stop is said at once; the others go on, as they would in a cluster. */
function watchProcesses(mesh: Mesh, watched: Mesh['companions'], stopping: AbortSignal): void {
  for (const { name, ended } of watched) {
    void ended.then((status) => {
      if (stopping.aborted) return;
      markReady(mesh.home, false);
      terminal.line(`${name} ended (status ${status ?? 'killed'}): stop and start again; see ${mesh.home}/log`);
    });
  }
}

function whatIsWhere(mesh: Mesh): void {
  const { ports, home } = mesh;
  terminal.line('');
  terminal.line(`phones      https://localhost:${ports.GATEWAY_PHONE_PORT}   (trust ${home}/pki/ca.crt)`);
  terminal.line(
    `partners    https://localhost:${ports.GATEWAY_PARTNER_PORT}   (client certificate ${home}/pki/lab.crt)`,
  );
  terminal.line(
    `operators   https://localhost:${ports.OPS_API_OPERATOR_PORT}   (client certificate ${home}/pki/operator.crt; status page at /, GraphiQL at /graphql; or npx cwa ops status)`,
  );
  if (process.env['CWA_IDENTITY_PROVIDER'] !== 'off') {
    terminal.line(`tokens      https://localhost:${ports.IDENTITY_PROVIDER_PORT}   (npx cwa ops token --team ops-cwa)`);
  }
  terminal.line(
    `management  http://127.0.0.1:${ports.GATEWAY_MANAGEMENT_PORT} … ${ports.PROBER_MANAGEMENT_PORT}   (/health/ready, /metrics)`,
  );
  terminal.line(`security    npx cwa security tail --follow`);
  terminal.line(`export key  ${home}/pki/export-public.pem`);
  terminal.line(`mesh time   ${mesh.clock.now().toISOString()}   (npx cwa clock, npx cwa clock advance 3h)`);
  terminal.line(`logs        ${home}/log`);
}
