import { hoursSinceEpoch } from '../../lib/exposure/intervals.ts';
import { inTrace } from '../../lib/telemetry/tracing.ts';
import { BUILT_IN_CONFIGURATION, type PhoneConfiguration } from '../../phone/configuration.ts';
import type { Deps } from './deps.ts';
import { readConfiguration, readIndexes } from './download-steps.ts';
import { awaitExport, warnOther } from './export-steps.ts';
import { meetTwoDaysAgo } from './synthetic-person.ts';
import { StepFailed, takeStep } from './step.ts';
import { getTan, pollResult, registerTest, reportPositive, uploadKeys } from './test-steps.ts';

/** Hears when the newest package's hour or day ended, in seconds since 1970, as soon as it is seen. */
export type SawPackage = (endSeconds: number) => void;

/**
 * One walk through the whole system, from the laboratory to the warning on another phone (decision 35). Configuration
 * and indexes are looked at for themselves; each other step needs the one before. Answers whether every step held.
 */
export async function walk(d: Deps, saw: SawPackage = () => {}): Promise<boolean> {
  return inTrace('probe journey', { attributes: { 'cwa.synthetic': true } }, async (span) => {
    const configuration = await unlessFailed(() => takeStep(d, 'configuration', () => readConfiguration(d)));
    const index = await unlessFailed(() => takeStep(d, 'index', async () => ({ end: await readIndexes(d) })));
    if (index?.end !== undefined) saw(index.end);
    const warned = await unlessFailed(() => warn(d, configuration ?? BUILT_IN_CONFIGURATION));
    const passed = configuration !== undefined && index !== undefined && warned !== undefined;
    span.set({ 'cwa.outcome': passed ? 'passed' : 'failed' });
    return passed;
  });
}

async function warn(d: Deps, configuration: PhoneConfiguration): Promise<true> {
  const meeting = meetTwoDaysAgo(d);
  const guid = await takeStep(d, 'report', () => reportPositive(d));
  const token = await takeStep(d, 'register', () => registerTest(d, guid));
  await takeStep(d, 'result', () => pollResult(d, token));
  const tan = await takeStep(d, 'tan', () => getTan(d, token));
  const uploadHour = hoursSinceEpoch(d.clock.nowMs() / 1_000);
  await takeStep(d, 'upload', () => uploadKeys(d, meeting.keys, tan, configuration.supportedCountries));
  const file = await takeStep(d, 'export', () => awaitExport(d, meeting.keys, uploadHour));
  await takeStep(d, 'match', () => warnOther(d, meeting, file, configuration));
  return true;
}

async function unlessFailed<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StepFailed) return undefined;
    throw error;
  }
}
