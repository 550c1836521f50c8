import { dayStartInterval, INTERVAL_SECONDS, intervalNumber, utcDay } from '../lib/exposure/intervals.ts';
import type { TrustedKeys } from '../lib/exposure/signature-list.ts';
import { isTeleTan } from '../lib/exposure/token-format.ts';
import type { Random } from '../lib/random/random.ts';
import type { Clock } from '../lib/time/clock.ts';
import type { PhoneConfiguration } from './configuration.ts';
import { ConfigurationClient, type ConfigurationOutcome } from './configuration-client.ts';
import { riskV1Config } from './configuration-v1.ts';
import { advertisement } from './crypto.ts';
import type { Radio } from './encounter.ts';
import { type ExchangeEvent, type Http, PhoneError, reporting } from './http.ts';
import { KeyStore, type OwnKey } from './key-store.ts';
import { Matcher } from './matcher.ts';
import { encodeMetadata } from './metadata.ts';
import { PackageCache } from './package-cache.ts';
import { openConfigurationV1 } from './package-check.ts';
import { type SyncOutcome, syncPackages } from './package-sync.ts';
import {
  fakeSequence,
  type PollOutcome,
  poll,
  type RegisterOutcome,
  register,
  type UploadOutcome,
  upload,
  type Wire,
} from './playbook.ts';
import { parseQrCode, registrationKeys } from './qr-code.ts';
import { type ReadPackage, type RejectedPackage, readPackages } from './read-packages.ts';
import { combinedRiskScore, type ExposureSummary, type RiskV1Config, riskClass, summarise } from './risk-v1.ts';
import { calculateRiskV2, type NoRiskReason, noRiskReason, type RiskV2Result } from './risk-v2.ts';
import { type DetectionDecision, decideDetection } from './schedule.ts';
import type { Sighting } from './sighting.ts';
import { keysForUpload, type SymptomAnswer, type UploadKey } from './submission-vector.ts';
import type { UploadMeta } from './upload-requests.ts';
import type { RegistrationKey } from './verification-requests.ts';
import { type ExposureWindow, type TimedWindow, withoutTime } from './windows.ts';

export interface PhoneOptions {
  http: Http;
  clock: Pick<Clock, 'nowMs' | 'monotonicMs'>;
  random: Random;
  /** Keys that sign packages and configuration. */
  trustedKeys: TrustedKeys;
  /** Hears of every exchange on the wire, without its content. */
  log?: (event: ExchangeEvent) => void;
  /** Region of the packages; shipped apps use the European one. */
  region?: string;
}

export interface DownloadOutcome {
  configuration: ConfigurationOutcome;
  sync: SyncOutcome;
  detection: DetectionDecision;
  packages: ReadPackage[];
  /** Paths of packages that did not verify; they are fetched again. */
  rejected: RejectedPackage[];
  /** Keys that matched for the first time. */
  newMatches: number;
}

export type Risk =
  | { calculated: false; reason: NoRiskReason }
  | { calculated: true; result: RiskV2Result; windows: ExposureWindow[] };

export interface RiskV1 {
  summary: ExposureSummary;
  combinedScore: number;
  riskClass: string;
}

/** Handset, operating system framework and app of one person; sightings are fed in (P). */
export class Phone implements Radio {
  /** dBm, part of every advertisement. */
  readonly transmitPower = -12;
  readonly keys: KeyStore;
  readonly #options: PhoneOptions;
  readonly #wire: Wire;
  readonly #configuration: ConfigurationClient;
  readonly #matcher = new Matcher();
  readonly #cache = new PackageCache();
  #configurationV1: RiskV1Config | undefined;
  #registration: { token: string; isRapidTest: boolean } | undefined;
  #storedTan: string | undefined;
  #detectionStartedSeconds: number | undefined;
  #detectionSucceededSeconds: number | undefined;

  constructor(options: PhoneOptions) {
    const { log, clock, random } = options;
    this.#options = options;
    this.keys = new KeyStore(random);
    this.#wire = { http: log === undefined ? options.http : reporting(options.http, clock.monotonicMs, log), random };
    this.#configuration = new ConfigurationClient(this.#wire.http, options.trustedKeys.keys.values());
  }

  get configuration(): PhoneConfiguration {
    return this.#configuration.current;
  }

  /** Makes the keys of the days from `fromSeconds` to now, as a phone that was switched on all the time. */
  liveThrough(fromSeconds: number, toSeconds: number = this.#now()): void {
    for (let day = dayStartInterval(intervalNumber(fromSeconds)); day * INTERVAL_SECONDS <= toSeconds; day += 144) {
      this.keys.current(Math.max(fromSeconds, day * INTERVAL_SECONDS));
    }
  }

  /** Times must not run backwards beyond the newest key, unless the key of that time is there already. */
  advertisementAt(epochSeconds: number): Buffer {
    const interval = intervalNumber(epochSeconds);
    const key = this.keys.inUseAt(interval) ?? this.keys.current(epochSeconds);
    return advertisement(key.keyData, interval, encodeMetadata({ transmitPower: this.transmitPower }));
  }

  hear(sighting: Sighting): void {
    this.#matcher.addSighting(sighting);
  }

  /** Registers a test by its QR code (or bare GUID) and fetches its result (P 6, S 5.1). */
  async registerByQr(code: string, birthDate?: { year: number; month: number; day: number }): Promise<RegisterOutcome> {
    const test = parseQrCode(code);
    return this.#register({ keyType: 'GUID', ...registrationKeys(test, birthDate) }, test.kind === 'rapid');
  }

  /** Registers by a teleTAN, after checking it as the app does. */
  async registerByTeleTan(teleTan: string): Promise<RegisterOutcome> {
    const key = teleTan.trim().toUpperCase();
    if (!isTeleTan(key)) throw new PhoneError('TELE_TAN');
    return this.#register({ keyType: 'TELETAN', key }, false);
  }

  /** Asks for the result of the registered test. */
  async pollResult(): Promise<PollOutcome> {
    return poll(this.#wire, this.#token());
  }

  /** Cover traffic without an action. */
  async sendFakes(): Promise<void> {
    await fakeSequence(this.#wire);
  }

  /**
   * Uploads own keys with risk fields after the answer about symptoms, or the given keys as they are. A TAN that
   * was not accepted is kept for the next attempt.
   */
  async uploadKeys(
    content:
      | { symptoms: SymptomAnswer; earlyRelease?: boolean; limit?: number; meta?: UploadMeta }
      | { keys: readonly UploadKey[]; meta?: UploadMeta },
  ): Promise<UploadOutcome & { keysSent: number }> {
    const token = this.#token();
    const keys = 'keys' in content ? content.keys : this.#ownKeys(content);
    const meta: UploadMeta = {
      visitedCountries: this.configuration.supportedCountries,
      consentToFederation: true,
      submissionType: this.#registration?.isRapidTest === true ? 1 : 0,
      ...content.meta,
    };
    const outcome = await upload(this.#wire, token, { keys, meta, storedTan: this.#storedTan });
    this.#storedTan = outcome.tan;
    return { ...outcome, keysSent: keys.length };
  }

  /**
   * One background session: configuration, packages, and a detection when its time has come (P section 7).
   * @param options.ignoreQuota for load generators and replays: match at once, however short ago the last detection was
   */
  async downloadAndMatch(options: { ignoreQuota?: boolean } = {}): Promise<DownloadOutcome> {
    const nowSeconds = this.#now();
    const configuration = await this.#configuration.refresh(nowSeconds);
    const sync = await syncPackages({
      http: this.#wire.http,
      cache: this.#cache,
      region: this.#options.region ?? 'EUR',
      nowSeconds,
      metered: false,
      revokedEtags: this.configuration.revokedEtags,
    });
    const decision = this.#decide(nowSeconds);
    const detection =
      options.ignoreQuota === true && (decision === 'TOO_SOON' || decision === 'NOTHING_NEW') ? 'RUN' : decision;
    if (detection !== 'RUN') return { configuration, sync, detection, packages: [], rejected: [], newMatches: 0 };
    return { configuration, sync, detection, ...(await this.#detect(nowSeconds)) };
  }

  /** Risk of version 2 as of now (P section 5). */
  risk(): Risk {
    const nowSeconds = this.#now();
    const reason = noRiskReason({
      nowSeconds,
      clockOffsetSeconds: this.#configuration.clockOffsetSeconds,
      tracingOn: true,
      newestPackageSeconds: this.#cache.newestSeconds(),
      everDetected: this.#detectionSucceededSeconds !== undefined,
    });
    if (reason !== undefined) return { calculated: false, reason };
    const windows = this.exposureWindows();
    return { calculated: true, result: calculateRiskV2(windows, this.configuration.risk, utcDay(nowSeconds)), windows };
  }

  /** What the app may see: shuffled, without exact times (P M-14). */
  exposureWindows(): ExposureWindow[] {
    return this.#options.random.shuffle(this.timedWindows()).map(withoutTime);
  }

  /** Windows with their times, which no app gets: for tests and simulations. */
  timedWindows(): TimedWindow[] {
    return this.#matcher.timedWindows(this.configuration.mapping);
  }

  /** Fetches the configuration of apps up to 1.7, needed by `riskV1`. */
  async refreshConfigurationV1(country = 'DE'): Promise<void> {
    const path = `/version/v1/configuration/country/${country}/app_config`;
    const response = await this.#wire.http({ method: 'GET', path, headers: {} });
    if (response.status !== 200) throw new PhoneError('CONFIGURATION_MISSING');
    this.#configurationV1 = riskV1Config(
      await openConfigurationV1(response.body, this.#options.trustedKeys.keys.values()),
    );
  }

  /** Risk of version 1 as of now (P section 4). */
  riskV1(): RiskV1 {
    const config = this.#configurationV1;
    if (config === undefined) throw new PhoneError('CONFIGURATION_MISSING');
    const summary = summarise(this.#matcher.exposures(config.thresholds), config, this.#now());
    const combinedScore = combinedRiskScore(summary.maximumRiskScore, summary.bucketMinutes, config);
    return { summary, combinedScore, riskClass: riskClass(combinedScore, config.classes) };
  }

  async #register(key: RegistrationKey, isRapidTest: boolean): Promise<RegisterOutcome> {
    const outcome = await register(this.#wire, key);
    if (outcome.registered) this.#registration = { token: outcome.registrationToken, isRapidTest };
    return outcome;
  }

  #ownKeys(content: { symptoms: SymptomAnswer; earlyRelease?: boolean; limit?: number }): UploadKey[] {
    const now = this.#now();
    const released: OwnKey[] = this.keys.release(now, { earlyRelease: content.earlyRelease === true });
    return keysForUpload(released, content.symptoms, now, content.limit);
  }

  #decide(nowSeconds: number): DetectionDecision {
    return decideDetection({
      nowSeconds,
      perDay: this.configuration.detectionsPerDay,
      clockOffsetSeconds: this.#configuration.clockOffsetSeconds,
      lastStartedSeconds: this.#detectionStartedSeconds,
      lastSucceededSeconds: this.#detectionSucceededSeconds,
      hasNewFiles: this.#cache.unchecked().length > 0,
    });
  }

  /** Verifies first, then matches; a package that does not verify is dropped, its siblings go on (P V-9). */
  async #detect(nowSeconds: number): Promise<Pick<DownloadOutcome, 'packages' | 'rejected' | 'newMatches'>> {
    this.#detectionStartedSeconds = nowSeconds;
    this.#matcher.prune(nowSeconds);
    const { packages, rejected } = await readPackages(this.#cache.unchecked(), this.#options.trustedKeys);
    for (const { path } of rejected) this.#cache.remove(path);
    if (rejected.length > 0) this.#cache.mustAskIndexes = true;
    let newMatches = 0;
    for (const { path, file } of packages) {
      newMatches += this.#matcher.matchKeys(file.keys, this.configuration.mapping);
      this.#matcher.reviseKeys(file.revisedKeys);
      this.#cache.markChecked(path);
    }
    this.#detectionSucceededSeconds = nowSeconds;
    return { packages, rejected, newMatches };
  }

  #token(): string {
    if (this.#registration === undefined) throw new PhoneError('NOT_REGISTERED');
    return this.#registration.token;
  }

  #now(): number {
    return Math.floor(this.#options.clock.nowMs() / 1000);
  }
}
