import { expect } from 'vitest';

/** By process: how long it had run at the flush that was seen last, in seconds; undefined while it does not answer. */
export type Uptimes = ReadonlyMap<string, number | undefined>;

/**
 * Until every process of which `uptimes` tells has shown what it counted before this moment. One flush may have been on
 * its way, and the next may have begun; the third had not.
 */
export async function untilFlushed(uptimes: () => Uptimes | Promise<Uptimes>): Promise<void> {
  const unchanged = async (before: Uptimes) =>
    [...(await uptimes())].filter(([process, uptime]) => uptime === undefined || uptime === before.get(process));
  for (let flush = 0; flush < 3; flush++) {
    const before = await uptimes();
    await expect.poll(() => unchanged(before), { timeout: 60_000, interval: 500 }).toEqual([]);
  }
}
