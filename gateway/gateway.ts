import type { BlobStore } from '../lib/blob/blob.ts';
import type { Random } from '../lib/random/random.ts';
import type { CertificateSource } from '../lib/rpc/certificates.ts';
import { watchCap } from '../lib/telemetry/cap.ts';
import { type Log, silentLog } from '../lib/telemetry/log.ts';
import { type Metrics, silentMetrics } from '../lib/telemetry/metrics.ts';
import type { SecurityFeed } from '../lib/telemetry/security.ts';
import type { Clock } from '../lib/time/clock.ts';
import { AnswerSchedule, type Schedule } from './answer-schedule.ts';
import { cacheBytes, type Config, heldBytes } from './config.ts';
import { downloadAnswers } from './download-answers.ts';
import { Downloads, maxFetches } from './downloads.ts';
import { FakeShare } from './fake-share.ts';
import { failureTally } from './failure-tally.ts';
import { httpDates } from './http-date.ts';
import { type LabDeps, type LabMesh, syntheticLabMesh } from './lab.ts';
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
import { partnerCap, phoneCaps, portWatch } from './port-watch.ts';
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
  readonly metrics?: Metrics;
  readonly security?: SecurityFeed;
}

/** Port 8443: the apps' REST paths, the same as Connect calls, and downloads (architecture section 4). */
export async function startPhonePort(d: GatewayDeps): Promise<Listener> {
  const { settings, clock, random, log } = d;
  const date = httpDates(clock);
  const schedule = d.schedule ?? new AnswerSchedule({ clock, random, log, floorMs: settings.GATEWAY_ANSWER_FLOOR_MS });
  const watch = portWatch('phone', d);
  const { limits, intake: metrics, alarms } = watch;
  const fakeShare = new FakeShare(clock);
  watch.metrics.observe('cwa.gateway.fake.share', () => one(fakeShare.value()));
  watch.metrics.observe('cwa.gateway.answer.late', () => one(schedule.lateShare));
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
    fakeShare,
    alarms,
    caps: phoneCaps(d),
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
    fetches: watchCap(watch.metrics, 'download-fetches', maxFetches),
    freshMs: settings.GATEWAY_FRESH_MS,
    immutableFreshMs: settings.GATEWAY_IMMUTABLE_FRESH_MS,
  });
  const listener = await startListener({
    ...common(d, watch, date),
    port: settings.GATEWAY_PHONE_PORT,
    setting: 'GATEWAY_PHONE_PORT',
    routes: ({ on }) => {
      for (const route of phoneRoutes(d)) on(route.path, (request, response) => void answer(route, request, response));
      const uncounted = d.synthetic && { synthetic: d.synthetic.requests };
      const download = downloadAnswers({ downloads, date, clock, limits, metrics, alarms, ...uncounted });
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
  const { settings, clock, log, partners, labMesh } = d;
  const date = httpDates(clock);
  const watch = portWatch('partner', d);
  const { metrics, alarms, limits } = watch;
  const labRoutes = (deps: LabDeps) => [...labRestRoutes(deps), ...labConnectRoutes(deps)];
  const deps: LabDeps = { labMesh, clock, log, metrics, alarms };
  const synthetic = d.synthetic && {
    requests: d.synthetic.requests,
    routes: byPath(labRoutes({ ...deps, labMesh: syntheticLabMesh(labMesh), log: silentLog, metrics: silentMetrics })),
  };
  const answer = labAnswers({
    ...watch,
    partners,
    date,
    clock,
    log,
    requestsCap: partnerCap(d),
    bodyTimeoutMs: settings.GATEWAY_SLOW_MS,
    maxRequests: settings.GATEWAY_MAX_PARTNER_REQUESTS,
    ...(synthetic ? { synthetic } : {}),
  });
  const probe = probeAnswers({ partners, store: d.store, date, limits, alarms, log });
  return startListener({
    ...common(d, watch, date),
    port: settings.GATEWAY_PARTNER_PORT,
    setting: 'GATEWAY_PARTNER_PORT',
    tls: partnerTls,
    routes: ({ on }) => {
      for (const route of labRoutes(deps)) {
        on(route.path, (request, response) => void answer(route, request, response));
      }
      on('/probe/*', (request, response) => void probe(request, response));
      on('*', (request, response) => void answer(undefined, request, response));
    },
  });
}

const byPath = <R extends { readonly path: string }>(routes: readonly R[]): ReadonlyMap<string, R> =>
  new Map(routes.map((route) => [route.path, route]));

/** What is not known is not shown. */
const one = (value: number | undefined) => (value === undefined ? [] : [{ attributes: {}, value }]);

function common({ settings, certificates }: GatewayDeps, watch: ReturnType<typeof portWatch>, date: () => string) {
  return {
    host: settings.GATEWAY_HOST,
    certificates,
    date,
    maxConnections: settings.GATEWAY_MAX_CONNECTIONS,
    connections: watch.connections,
    onRefused: () => watch.alarms.overload('connection'),
    slowMs: settings.GATEWAY_SLOW_MS,
  };
}
