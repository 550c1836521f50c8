import type { BlobStore } from '../lib/blob/blob.ts';
import type { Random } from '../lib/random/random.ts';
import type { CertificateSource } from '../lib/rpc/certificates.ts';
import type { Log } from '../lib/telemetry/log.ts';
import type { Clock } from '../lib/time/clock.ts';
import { AnswerSchedule, type Schedule } from './answer-schedule.ts';
import { cacheBytes, type Config, heldBytes, ratesOf } from './config.ts';
import { downloadAnswers } from './download-answers.ts';
import { Downloads } from './downloads.ts';
import { failureTally } from './failure-tally.ts';
import { httpDates } from './http-date.ts';
import { type IntakeMetrics, intakeMetrics } from './intake-metrics.ts';
import { silentMetrics } from '../lib/telemetry/metrics.ts';
import { type LabMesh, syntheticLabMesh } from './lab.ts';
import { labAnswers } from './lab-answers.ts';
import { labConnectRoutes } from './lab-connect.ts';
import { labRestRoutes } from './lab-rest.ts';
import { type Listener, startListener } from './listener.ts';
import type { PhoneMesh } from './mesh.ts';
import type { PhoneDeps } from './phone.ts';
import { phoneAnswers } from './phone-answers.ts';
import { phoneConnectRoutes } from './phone-connect.ts';
import { phoneRestRoutes } from './phone-rest.ts';
import { probeAnswers } from './probe-answers.ts';
import type { Partners } from './partners.ts';
import { rateLimits } from './rate-limits.ts';
import type { SyntheticRequests } from './synthetic-requests.ts';
import { partnerTls } from './tls-settings.ts';

export interface GatewayDeps {
  readonly settings: Config['settings'];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly certificates: CertificateSource;
  readonly mesh: PhoneMesh;
  readonly labMesh: LabMesh;
  readonly partners: Partners;
  readonly store: Pick<BlobStore, 'get' | 'getIfChanged'>;
  /** How requests of the prober are told, and the mesh that serves them; without it they are like any other. */
  readonly synthetic?: { readonly requests: SyntheticRequests; readonly mesh: PhoneMesh };
  /** Default: one with the floor of the settings. */
  readonly schedule?: Schedule;
  /** Default: some that nobody reads. */
  readonly metrics?: IntakeMetrics;
}

/** Port 8443: the apps' REST paths, the same as Connect calls, and downloads (architecture section 4). */
export async function startPhonePort(d: GatewayDeps): Promise<Listener> {
  const { settings, clock, random, log } = d;
  const date = httpDates(clock);
  const schedule = d.schedule ?? new AnswerSchedule({ clock, random, log, floorMs: settings.GATEWAY_ANSWER_FLOOR_MS });
  const { limits, metrics } = watched(d);
  const failures = failureTally(log, 'phone-answers-failed');
  const phoneRoutes = (deps: PhoneDeps) => [...phoneRestRoutes(deps), ...phoneConnectRoutes(deps)];
  const synthetic = d.synthetic && {
    requests: d.synthetic.requests,
    routes: byPath(phoneRoutes({ clock, random, mesh: d.synthetic.mesh })),
  };
  const answer = phoneAnswers({
    schedule,
    clock,
    limits,
    metrics,
    date,
    failures,
    maxRequests: settings.GATEWAY_MAX_PHONE_REQUESTS,
    maxHeldBytes: heldBytes(settings),
    bodyTimeoutMs: settings.GATEWAY_SLOW_MS,
    ...(synthetic ? { synthetic } : {}),
  });
  const storeFailures = failureTally(log, 'object-store-failed', 10_000);
  const downloads = new Downloads({
    store: d.store,
    clock,
    failures: storeFailures,
    cacheBytes: cacheBytes(settings),
    freshMs: settings.GATEWAY_FRESH_MS,
    immutableFreshMs: settings.GATEWAY_IMMUTABLE_FRESH_MS,
  });
  const listener = await startListener({
    ...common(d, date),
    port: settings.GATEWAY_PHONE_PORT,
    setting: 'GATEWAY_PHONE_PORT',
    routes: ({ on }) => {
      for (const route of phoneRoutes(d)) on(route.path, (request, response) => void answer(route, request, response));
      const uncounted = d.synthetic && { synthetic: d.synthetic.requests };
      const download = downloadAnswers({ downloads, date, clock, limits, metrics, ...uncounted });
      on('/version', download);
      on('/version/*', download);
    },
  });
  return {
    port: listener.port,
    async close(graceMs) {
      await listener.close(graceMs);
      schedule.close();
      failures.close();
      storeFailures.close();
    },
  };
}

/** Port 8444: labs and test partners with their certificates. */
export async function startPartnerPort(d: GatewayDeps): Promise<Listener> {
  const { settings, log, partners, labMesh } = d;
  const date = httpDates(d.clock);
  const watch = watched(d);
  const labRoutes = (mesh: LabMesh) => [...labRestRoutes(mesh), ...labConnectRoutes(mesh)];
  const synthetic = d.synthetic && {
    requests: d.synthetic.requests,
    routes: byPath(labRoutes(syntheticLabMesh(labMesh))),
  };
  const answer = labAnswers({
    ...watch,
    partners,
    date,
    clock: d.clock,
    log,
    bodyTimeoutMs: settings.GATEWAY_SLOW_MS,
    maxRequests: settings.GATEWAY_MAX_PARTNER_REQUESTS,
    ...(synthetic ? { synthetic } : {}),
  });
  const probe = probeAnswers({ partners, store: d.store, date, limits: watch.limits, log });
  return startListener({
    ...common(d, date),
    port: settings.GATEWAY_PARTNER_PORT,
    setting: 'GATEWAY_PARTNER_PORT',
    tls: partnerTls,
    routes: ({ on }) => {
      for (const route of labRoutes(labMesh)) {
        on(route.path, (request, response) => void answer(route, request, response));
      }
      on('/probe/*', (request, response) => void probe(request, response));
      on('*', (request, response) => void answer(undefined, request, response));
    },
  });
}

const byPath = <R extends { readonly path: string }>(routes: readonly R[]): ReadonlyMap<string, R> =>
  new Map(routes.map((route) => [route.path, route]));

/** Each port has limits of its own; the groups of one never come to the other. */
function watched({ settings, clock, metrics }: GatewayDeps) {
  return {
    limits: rateLimits(clock, ratesOf(settings)),
    metrics: metrics ?? intakeMetrics(silentMetrics),
  };
}

function common({ settings, certificates }: GatewayDeps, date: () => string) {
  return {
    host: settings.GATEWAY_HOST,
    certificates,
    date,
    maxConnections: settings.GATEWAY_MAX_CONNECTIONS,
    slowMs: settings.GATEWAY_SLOW_MS,
  };
}
