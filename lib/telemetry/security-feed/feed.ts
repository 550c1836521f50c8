import { secureRandom } from '../../random/random.ts';
import { watchTerm } from '../../rpc/certificate-term.ts';
import { watchCertificates } from '../../rpc/certificates.ts';
import type { Clock } from '../../time/clock.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import type { SecurityEvent, SecurityFeed } from '../security.ts';
import type { Disk } from './buffer.ts';
import { openCollector } from './collector.ts';
import { Delivery } from './delivery.ts';
import { allowedFields, type SecurityRecord } from './record.ts';
import { Repeats } from './repeats.ts';
import { openSender, type SenderPace } from './sender.ts';
import { certificateSettings, type CollectorSettings, type SecurityFeedSettings } from './settings.ts';
import { openStore } from './store.ts';

export interface Pace extends SenderPace {
  /** Time in which events alike are folded into one. */
  readonly repeatsMs: number;
}

export interface FeedOptions {
  readonly process: string;
  readonly settings: SecurityFeedSettings;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly pace?: Partial<Pace>;
  readonly disk?: Disk;
}

export interface OpenSecurityFeed extends SecurityFeed {
  /** Sends what can be sent within a few seconds; the rest stays on disk for the next start. */
  close(): Promise<void>;
}

const usualPace: Pace = {
  gatherMs: 200,
  backoffMs: 1_000,
  longestBackoffMs: 60_000,
  lastAttemptMs: 3_000,
  repeatsMs: 60_000,
};

/**
 * Opens the stream of security events (requirement text 000 section 4.6): to the collector, with a buffer on disk, each
 * event at least once and in the order of its process; or to the log where no collector is set. Throws ConfigError when
 * a setting cannot be used.
 */
export function openSecurityFeed(options: FeedOptions): OpenSecurityFeed {
  const { collector } = options.settings;
  return collector === undefined ? feedIntoLog(options) : feedToCollector(options, collector);
}

function feedIntoLog(options: FeedOptions): OpenSecurityFeed {
  const repeats = new Repeats({
    windowMs: options.pace?.repeatsMs ?? usualPace.repeatsMs,
    tell({ id: _id, time: _time, process: _process, ...fields }) {
      options.log.info('security-event', fields);
    },
  });
  return { report: reporter(options, (record) => repeats.take(record)), close: async () => repeats.close() };
}

function feedToCollector(options: FeedOptions, to: CollectorSettings): OpenSecurityFeed {
  const { process, clock, log, metrics } = options;
  const pace = { ...usualPace, ...options.pace };
  const report = reporter(options, (record) => store.take(record));
  const security = { report };
  const name = 'security-feed';
  const certificates = watchCertificates(to.files, { settings: certificateSettings, name, log, security });
  const store = openStore({
    process,
    base: to.bufferDir,
    maxBytes: to.bufferBytes,
    syncMs: pace.gatherMs,
    repeatsMs: pace.repeatsMs,
    ...(options.disk ? { disk: options.disk } : {}),
    lossRecord: (reason, lost) => newRecord(options, { type: 'events-lost', reason, lost }),
    onLoss: (events) => metrics.count('cwa.security.feed.dropped', {}, events),
  });
  const collector = openCollector(to.url, certificates);
  const delivery = new Delivery({
    buffer: store.buffer,
    collector,
    onSpace: () => store.tellLosses(),
    setAside(line) {
      log.warn('security-event-refused', { bytes: line.length });
      store.setAside(line);
    },
  });
  const sender = openSender({ delivery, collector, clock, log, random: secureRandom, pace });
  store.onWritten(() => sender.wake());
  const stopWatching = watchTerm(certificates, name, { clock, metrics, security });
  metrics.observe('cwa.security.feed.backlog', () => [{ attributes: {}, value: store.buffer.bytes }]);

  return {
    report,
    async close() {
      stopWatching();
      certificates.close();
      store.endRepeats();
      await sender.close();
      await store.close();
    },
  };
}

function reporter(options: FeedOptions, take: (record: SecurityRecord) => void): SecurityFeed['report'] {
  return (event) => {
    const record = newRecord(options, event);
    if (record === undefined) return;
    options.metrics.count('cwa.security.events', { 'cwa.security.event': record.type });
    take(record);
  };
}

function newRecord({ process, clock }: FeedOptions, event: SecurityEvent): SecurityRecord | undefined {
  const fields = allowedFields(event);
  if (fields === undefined) return undefined;
  const { type } = event;
  return { ...fields, id: secureRandom.uuid(), time: clock.now().toISOString(), process, type, count: 1 };
}
