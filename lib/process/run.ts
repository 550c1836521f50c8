import { errorFields, jsonLog, type Log } from '../telemetry/log.ts';
import { type SecurityFeed, silentSecurityFeed } from '../telemetry/security.ts';
import { openSecurityFeed } from '../telemetry/security-feed/feed.ts';
import { readSecurityFeedSettings } from '../telemetry/security-feed/settings.ts';
import { readTelemetrySettings } from '../telemetry/settings.ts';
import { openTelemetry, type Telemetry } from '../telemetry/telemetry.ts';
import { followClock } from '../time/followed-clock.ts';
import { type Clock, systemClock } from '../time/clock.ts';
import { ConfigError } from './config.ts';

/** What a process's `main` receives: clock, log, telemetry, and a place to say what must be closed at the end. */
export interface ProcessContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly telemetry: Telemetry;
  readonly security: SecurityFeed;
  /** Registers a step of the graceful stop; steps run in reverse order of registration. */
  onStop(step: () => Promise<void> | void): void;
  /** Aborted when the stop begins; loops end on it. */
  readonly stopping: AbortSignal;
}

const stopLimitMs = 30_000;

/**
 * Runs one process of the mesh: opens what `main` lists, then waits for SIGTERM or SIGINT, closes everything in
 * reverse and lets the process end by itself, so that nothing is cut off. A fault of the configuration ends start-up
 * with one sentence a fault and exit status 78 (EX_CONFIG); any other failure with status 1.
 */
export async function runProcess(name: string, main: (context: ProcessContext) => Promise<void>): Promise<void> {
  const steps: (() => Promise<void> | void)[] = [];
  const stopping = new AbortController();
  let log = jsonLog(name, () => systemClock.now());
  let security: SecurityFeed = silentSecurityFeed;

  const stop = async (): Promise<void> => {
    if (stopping.signal.aborted) return;
    stopping.abort(new Error('stopping'));
    security.report({ type: 'process-stopped' });
    // A step that hangs must not keep the process for ever; the timer itself does not keep it alive.
    setTimeout(() => {
      log.error('stop-timed-out', { durationMs: stopLimitMs });
      process.exit(1);
    }, stopLimitMs).unref();
    if (process.env['STOP_WITH_STDIN'] === 'true') process.stdin.destroy();
    for (const step of steps.reverse()) {
      try {
        await step();
      } catch (error) {
        log.error('stop-step-failed', errorFields(error));
        process.exitCode = 1;
      }
    }
    log.info('stopped');
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  // A local mesh holds the other end: when it dies, however it dies, its processes end in order too.
  if (process.env['STOP_WITH_STDIN'] === 'true') process.stdin.resume().once('end', stop).once('error', stop);
  process.on('unhandledRejection', (error) => {
    log.error('unhandled-rejection', errorFields(error));
    process.exitCode = 1;
    void stop();
  });

  try {
    const clockUrl = process.env['CLOCK_URL'];
    const clock = clockUrl ? await followClock(clockUrl, (step) => steps.push(step)) : systemClock;
    const telemetry = await openTelemetry(name, readTelemetrySettings(process.env), clock);
    steps.push(() => telemetry.close());
    log = jsonLog(name, () => clock.now(), undefined, 'info', telemetry.logSink);
    const feed = openSecurityFeed({
      process: name,
      settings: readSecurityFeedSettings(process.env),
      clock,
      log,
      metrics: telemetry.metrics,
    });
    steps.push(() => feed.close());
    security = feed;
    await main({ clock, log, telemetry, security, stopping: stopping.signal, onStop: (step) => steps.push(step) });
    if (stopping.signal.aborted) return;
    log.info('started');
    security.report({ type: 'process-started', version: telemetry.build.version });
  } catch (error) {
    reportStartFailure(name, error, log);
    await stop();
  }
}

function reportStartFailure(name: string, error: unknown, log: Log): void {
  if (error instanceof ConfigError) {
    for (const fault of error.faults) process.stderr.write(`${name}: ${fault}\n`);
    process.exitCode = 78;
  } else {
    log.error('start-failed', errorFields(error));
    process.stderr.write(`${name}: start failed (${error instanceof Error ? error.name : typeof error})\n`);
    process.exitCode = 1;
  }
}
