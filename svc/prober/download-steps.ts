import { dayName, HOUR_SECONDS, parseDayName, utcDay } from '../../lib/exposure/intervals.ts';
import type { PhoneConfiguration } from '../../phone/configuration.ts';
import { ConfigurationClient } from '../../phone/configuration-client.ts';
import type { Deps } from './deps.ts';
import { ProbeFailure } from './step.ts';

/** The configuration as a new phone takes it: signed, and in force. */
export async function readConfiguration({ phones, clock, trusted }: Deps): Promise<PhoneConfiguration> {
  const client = new ConfigurationClient(phones, trusted.keys.values());
  const outcome = await client.refresh(Math.floor(clock.nowMs() / 1_000));
  if (outcome !== 'UPDATED') throw new ProbeFailure('REFUSED_CONFIGURATION');
  return client.current;
}

/**
 * The indexes of the own country as a phone reads them. Answers when the newest package's hour or day ended, in seconds
 * since 1970; undefined while there is none.
 */
export async function readIndexes(d: Deps): Promise<number | undefined> {
  const root = `/version/v1/diagnosis-keys/country/${d.country}/date`;
  const days = (await listed(d, root)).map(String).map(parseDayName);
  if (days.includes(undefined)) throw new ProbeFailure('ANSWER');
  const today = utcDay(d.clock.nowMs() / 1_000);
  const ends = (days as number[]).map((day) => (day + 1) * 24 * HOUR_SECONDS);
  for (const day of [today, today - 1]) {
    // The first run after midnight writes the index of the new day.
    const hours = await listed(d, `${root}/${dayName(day)}/hour`, true);
    if (!hours.every((hour) => Number.isInteger(hour))) throw new ProbeFailure('ANSWER');
    ends.push(...(hours as number[]).map((hour) => (day * 24 + hour + 1) * HOUR_SECONDS));
  }
  return ends.length === 0 ? undefined : Math.max(...ends);
}

async function listed({ phones }: Deps, path: string, mayMiss = false): Promise<unknown[]> {
  const { status, body } = await phones({ method: 'GET', path, headers: {} });
  if (mayMiss && status === 404) return [];
  if (status !== 200) throw new ProbeFailure('STATUS', status);
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    throw new ProbeFailure('ANSWER');
  }
  if (!Array.isArray(value)) throw new ProbeFailure('ANSWER');
  return value;
}
