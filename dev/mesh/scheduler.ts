import { join } from 'node:path';
import {
  DistributionServiceService,
  type GetDistributionReportResponse,
  type RunDistributionResponse,
} from '../../gen/mesh/cwa/distribution/v1/distribution.ts';
import { watchCertificates } from '../../lib/rpc/certificates.ts';
import { clientOf, openChannel } from '../../lib/rpc/client.ts';
import { RpcError } from '../../lib/rpc/errors.ts';
import { systemClock } from '../../lib/time/clock.ts';
import type { ClockService } from './clock-service.ts';

/** Asks distribution for its runs, as the cron job of a cluster does, and moves the clock, so that both go together. */
export interface Scheduler {
  run(): Promise<RunDistributionResponse>;
  report(): Promise<GetDistributionReportResponse>;
  /** Moves the clock forward, with a run at the start of every hour passed and at the end; answers how many that were. */
  advanceTo(ms: number, onHour?: (now: Date) => void, signal?: AbortSignal): Promise<number>;
  close(): void;
}

const hourMs = 3_600_000;

export function openScheduler(home: string, port: number, clockService: ClockService): Scheduler {
  const file = (name: string) => join(home, 'pki', name);
  const certificates = watchCertificates({
    certFile: file('scheduler.crt'),
    keyFile: file('scheduler.key'),
    caFile: file('ca.crt'),
  });
  const address = `127.0.0.1:${port}`;
  const channel = openChannel({ address, serverName: 'distribution', certificates, clock: systemClock });
  const service = 'cwa.distribution.v1.DistributionService';
  const client = clientOf(channel, service, DistributionServiceService, { deadlineMs: 300_000 });
  const inTurn = oneAtATime();
  const runOnce = () =>
    client.runDistribution({}).catch((error: unknown) => {
      if (!(error instanceof RpcError)) throw error;
      throw new Error(runFailed(error.code, home), { cause: error });
    });
  return {
    run: () => inTurn(runOnce),
    report: () => client.getDistributionReport({}),
    advanceTo: (ms, onHour, signal) =>
      inTurn(async () => {
        const stops = stopsBetween(clockService.clock.nowMs(), ms);
        for (const at of stops) {
          signal?.throwIfAborted();
          await clockService.moveTo(at);
          await runOnce();
          onHour?.(new Date(at));
        }
        return stops.length;
      }),
    close() {
      channel.close();
      certificates.close();
    },
  };
}

const runFailed = (code: string, home: string): string =>
  `a distribution run failed (${code}); ${join(home, 'log', 'distribution.log')} says why, and the next run finishes it`;

/** Every full hour on the way, and the end. */
function stopsBetween(fromMs: number, toMs: number): number[] {
  const stops: number[] = [];
  for (let at = (Math.floor(fromMs / hourMs) + 1) * hourMs; at < toMs; at += hourMs) stops.push(at);
  return [...stops, Math.max(fromMs, toMs)];
}

/** The run of the minute must not meet one that a moved clock made due. */
function oneAtATime(): <T>(work: () => Promise<T>) => Promise<T> {
  let turn: Promise<unknown> = Promise.resolve();
  return (work) => {
    const next = turn.then(work, work);
    turn = next.catch(() => {});
    return next;
  };
}
