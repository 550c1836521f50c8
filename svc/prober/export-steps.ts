import { FormatError } from '../../lib/exposure/format-error.ts';
import { hoursSinceEpoch, utcDay } from '../../lib/exposure/intervals.ts';
import type { DecodedKeyExport } from '../../lib/exposure/key-export-reader.ts';
import type { PhoneConfiguration } from '../../phone/configuration.ts';
import { openKeyPackage, PackageError } from '../../phone/package-check.ts';
import { calculateRiskV2, RISK_LEVEL } from '../../phone/risk-v2.ts';
import type { UploadKey } from '../../phone/submission-vector.ts';
import type { Deps } from './deps.ts';
import { ProbeFailure } from './step.ts';
import type { Meeting } from './synthetic-person.ts';

/** Hours after that of the upload whose archives hold its keys (see distribution). */
const hoursAfter = 3;

/** Waits until every key is in a signed archive, and answers it. `uploadHour`: hours since 1970. */
export async function awaitExport(d: Deps, keys: readonly UploadKey[], uploadHour: number): Promise<DecodedKeyExport> {
  const { clock, exportDeadlineMs, exportPollMs, stopping } = d;
  const deadlineMs = clock.monotonicMs() + exportDeadlineMs;
  const wanted = keys.map(({ keyData }) => hexOf(keyData));
  for (;;) {
    const now = hoursSinceEpoch(clock.nowMs() / 1_000);
    for (let hour = Math.min(now, uploadHour + hoursAfter); hour >= uploadHour; hour--) {
      const file = await archiveOf(d, hour);
      const held = new Set(file?.keys.map(({ keyData }) => hexOf(keyData)));
      if (file !== undefined && wanted.every((key) => held.has(key))) return file;
    }
    if (clock.monotonicMs() >= deadlineMs) throw new ProbeFailure('DEADLINE');
    await clock.sleep(exportPollMs, stopping);
  }
}

/** Undefined while there is none, or the store cannot be asked just now. */
async function archiveOf({ partners, trusted }: Deps, hour: number): Promise<DecodedKeyExport | undefined> {
  const { status, body } = await partners({ method: 'GET', path: `/probe/${hour}`, headers: {} });
  if (status === 404 || status === 503) return undefined;
  if (status !== 200) throw new ProbeFailure('STATUS', status);
  try {
    return await openKeyPackage(body, trusted);
  } catch (error) {
    if (error instanceof FormatError || error instanceof PackageError) throw new ProbeFailure('SIGNATURE');
    throw error;
  }
}

/** The other phone compares the keys with what it saw: its owner must be warned. */
export async function warnOther(
  { clock }: Deps,
  { witness }: Meeting,
  file: DecodedKeyExport,
  { mapping, risk }: PhoneConfiguration,
): Promise<void> {
  witness.matchKeys(file.keys, mapping);
  const today = utcDay(clock.nowMs() / 1_000);
  const result = calculateRiskV2(witness.timedWindows(mapping), risk, today);
  if (result.totalRiskLevel !== RISK_LEVEL.high) throw new ProbeFailure('RISK');
}

const hexOf = (keyData: Uint8Array | undefined): string => Buffer.from(keyData ?? []).toString('hex');
