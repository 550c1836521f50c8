import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { DiagnosisKeyServiceService } from '../../gen/mesh/cwa/submission/v1/submission.ts';
import { createDatabase, startEmbeddedPostgres } from '../../lib/db/embedded-postgres.ts';
import { migrate } from '../../lib/db/migrate.ts';
import { openPool, type Pool } from '../../lib/db/pool.ts';
import { createAuthority, writePair } from '../../lib/pki/authority.ts';
import { type TlsFiles, watchCertificates } from '../../lib/rpc/certificates.ts';
import { clientOf, openChannel } from '../../lib/rpc/client.ts';
import { bind, startRpcServer } from '../../lib/rpc/server.ts';
import { silentLog } from '../../lib/telemetry/log.ts';
import { systemClock } from '../../lib/time/clock.ts';
import { keepKeyDays } from '../../svc/submission/store/key-day.ts';
import { streamDiagnosisKeys } from '../../svc/submission/stream-diagnosis-keys.ts';
import type { Bench } from './bench.ts';
import { type Figure, median, rounded } from './record.ts';

const keys = 1_000_000;
const rounds = 5;
const keysEachTransaction = 1_000;
const lastDay = 20_764;
const daysOfKeys = 14;
const service = 'cwa.submission.v1.DiagnosisKeyService';

interface Reading {
  readonly keys: number;
  readonly bytes: number;
  readonly seconds: number;
}

/** A million keys from rows to columns in another thread's memory, over mutual TLS (decision 33). */
export const stream: Bench = async ({ progress, defer }) => {
  const folder = mkdtempSync(join(tmpdir(), 'cwa-bench-'));
  const postgres = await startEmbeddedPostgres({ directory: join(folder, 'postgres') });
  defer(async () => {
    await postgres.close();
    for (const path of [folder, postgres.directory]) rmSync(path, { recursive: true, force: true });
  });
  const config = { url: await createDatabase(postgres, 'submission'), poolSize: 4, setting: 'bench' };
  await migrate(config, join(import.meta.dirname, '..', '..', 'svc', 'submission', 'migrations'), silentLog);
  const pool = openPool(config, silentLog);
  defer(() => pool.close());
  progress(`storing ${keys.toLocaleString('en-US')} keys`);
  await storeKeys(pool);

  const handlers = { streamDiagnosisKeys: streamDiagnosisKeys({ pool }) };
  const files = await certificatesIn(folder);
  const certificates = watchCertificates(files('submission'));
  defer(() => certificates.close());
  const server = await startRpcServer({
    process: 'submission',
    host: '127.0.0.1',
    port: 0,
    certificates,
    services: [bind(service, DiagnosisKeyServiceService, handlers)],
    clock: systemClock,
    log: silentLog,
  });
  defer(() => server.close());
  progress(`reading them ${rounds} times`);
  return figuresOf(await readInThread(`127.0.0.1:${server.port}`, files('distribution')));
};

async function certificatesIn(folder: string): Promise<(name: string) => TlsFiles> {
  const authority = await createAuthority('benchmark', systemClock.now());
  const caFile = join(folder, 'ca.crt');
  writeFileSync(caFile, authority.ca);
  for (const processName of ['submission', 'distribution']) {
    writePair(folder, processName, await authority.issue({ processName }));
  }
  return (name) => ({ certFile: join(folder, `${name}.crt`), keyFile: join(folder, `${name}.key`), caFile });
}

async function storeKeys(pool: Pool): Promise<void> {
  await pool.query(`insert into country_set (origin, visited) values ('DE', '{DE}')`);
  await keepKeyDays(
    pool,
    Array.from({ length: daysOfKeys }, (_, n) => lastDay - n),
  );
  for (let done = 0; done < keys; done += keysEachTransaction) {
    await pool.query(
      `insert into diagnosis_key (key_data, submission_type, rolling_start_interval_number, rolling_period,
         transmission_risk_level, days_since_onset_of_symptoms, report_type, country_set_id, submission_hour)
       select uuid_send(gen_random_uuid()) as key, 0, ($2::int - i % $3::int) * 144, 144, 1 + i % 8, 0, 1, 1, $2::int * 24
       from generate_series(1, $1::int) as i order by key`,
      [keysEachTransaction, lastDay, daysOfKeys],
    );
  }
}

function figuresOf(readings: readonly Reading[]): Figure[] {
  if (readings.some((reading) => reading.keys !== keys)) throw new Error('a stream lost or repeated keys');
  const keysEachSecond = Math.round(median(readings.map((reading) => reading.keys / reading.seconds)));
  const megabytes = median(readings.map((reading) => reading.bytes / 1e6 / reading.seconds));
  return [
    { name: 'stream.keys', value: keysEachSecond, unit: 'keys/s', goal: { atLeast: 250_000 } },
    { name: 'stream.bytes', value: rounded(megabytes, 1), unit: 'MB/s' },
  ];
}

/** The reader has an event loop of its own, as distribution has. */
function readInThread(address: string, files: TlsFiles): Promise<Reading[]> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(import.meta.filename, { workerData: { address, files } });
    thread.once('message', resolve);
    thread.once('error', reject);
  });
}

async function read(address: string, files: TlsFiles): Promise<Reading[]> {
  const certificates = watchCertificates(files);
  const channel = openChannel({ address, serverName: 'submission', certificates, clock: systemClock });
  const client = clientOf(channel, service, DiagnosisKeyServiceService);
  const readings: Reading[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = systemClock.monotonicMs();
    let count = 0;
    let bytes = 0;
    for await (const message of client.streamDiagnosisKeys({ cursor: 0n })) {
      count += message.keyCount;
      for (const column of Object.values(message)) if (Buffer.isBuffer(column)) bytes += column.length;
    }
    readings.push({ keys: count, bytes, seconds: (systemClock.monotonicMs() - start) / 1000 });
  }
  channel.close();
  certificates.close();
  return readings;
}

if (!isMainThread && workerData?.address !== undefined) {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  parentPort?.postMessage(await read(workerData.address, workerData.files));
}
