import type { ProbeKey } from '../../../gen/mesh/cwa/submission/v1/probe_key.ts';
import { contentHash } from '../../../lib/exposure/content-hash.ts';
import { HOUR_SECONDS } from '../../../lib/exposure/intervals.ts';
import { encodeSortedKeyExport } from '../../../lib/exposure/key-export.ts';
import type { ExportKey } from '../../../lib/exposure/key-writer.ts';
import { publishedFields } from '../../../lib/exposure/risk-level.ts';
import { errorFields } from '../../../lib/telemetry/log.ts';
import type { Deps } from '../deps.ts';
import { objectKeys, zip } from '../object-layout.ts';
import type { RunTime } from '../run-time.ts';
import { signArchive, signatureInfos, signedBy } from '../signed-archive.ts';
import { forgetProbeObjects, readProbeObjects, recordProbeObject } from '../store/probe-object.ts';

const region = 'PROBE';
/** Hours before the one in progress whose keys are in its archive: longer than a prober waits. */
const hoursBefore = 3;
const keptHours = 24;

/**
 * Signs the prober's keys of the last hours into `probe/<hour>`, as packages are signed, so that the whole way of a key
 * can be watched (decision 35). Never part of the run's counts or of the inventory, and whatever fails here fails
 * nothing else. Without such keys the store is not asked at all.
 */
export async function publishProbes(d: Deps, { currentHour }: RunTime): Promise<void> {
  try {
    const known = await readProbeObjects(d.pool);
    await deleteOld(
      d,
      known.map(({ hour }) => hour).filter((hour) => hour <= currentHour - keptHours),
    );
    const { keys } = await d.probes.listProbeKeys({ fromHour: currentHour - hoursBefore });
    if (keys.length === 0) return;
    const bin = archiveOf(d, currentHour, keys);
    const current = known.find(({ hour }) => hour === currentHour);
    const isCurrent = current?.contentHash === contentHash(bin) && current.signedBy === signedBy(d.signers);
    if (!isCurrent) await publish(d, currentHour, bin);
    d.metrics.count('cwa.distribution.probes', { 'cwa.outcome': isCurrent ? 'unchanged' : 'published' });
  } catch (error) {
    d.log.warn('probe-keys-not-published', errorFields(error));
    d.metrics.count('cwa.distribution.probes', { 'cwa.outcome': 'failed' });
  }
}

async function publish({ pool, blob, signers }: Deps, hour: number, bin: Buffer): Promise<void> {
  const archive = await signArchive(bin, signers);
  await blob.put(objectKeys.probe(hour), archive.zip, {
    contentType: zip,
    cacheControl: 'private,no-store',
    metadata: { 'cwa-hash': archive.contentHash },
  });
  await recordProbeObject(pool, { hour, ...archive });
}

async function deleteOld({ pool, blob }: Deps, hours: readonly number[]): Promise<void> {
  if (hours.length === 0) return;
  await blob.delete(hours.map(objectKeys.probe));
  await forgetProbeObjects(pool, hours);
}

function archiveOf({ signers }: Deps, hour: number, keys: readonly ProbeKey[]): Buffer {
  const head = {
    start: hour * HOUR_SECONDS,
    end: (hour + 1) * HOUR_SECONDS,
    region,
    batchNum: 1,
    batchSize: 1,
    signatureInfos: signatureInfos(signers),
  };
  return encodeSortedKeyExport(head, keys.map(exportKey), keys.length);
}

function exportKey(key: ProbeKey): ExportKey {
  const { reportType, daysSinceOnsetOfSymptoms } = publishedFields(key.transmissionRiskLevel);
  return { ...key, reportType, daysSinceOnsetOfSymptoms };
}
