import type { MetricName } from '../telemetry/catalog/catalog.ts';
import { MetricRegistry } from '../telemetry/metric-registry.ts';
import { openTelemetry, type Telemetry } from '../telemetry/telemetry.ts';
import { systemClock } from '../time/clock.ts';

/** Counts as the process would, and tells what would be seen after a minute. In tests no hour ends by itself. */
export function recordedMetrics(process: string, nowMs = () => 0) {
  const registry = new MetricRegistry(process, nowMs);
  return Object.assign(registry, {
    /** Sum of the points with these attributes; of a histogram the number of values. After a flush. */
    async seen(name: MetricName, attributes: Readonly<Record<string, string>> = {}): Promise<number> {
      await registry.flush();
      const data = registry.shown().metrics.find(({ descriptor }) => descriptor.name === name);
      const points = data?.dataPoints ?? [];
      return points
        .filter((point) => Object.entries(attributes).every(([key, value]) => point.attributes[key] === value))
        .reduce((sum, { value }) => sum + (typeof value === 'number' ? value : value.count), 0);
    },
  });
}

export const testTelemetry = (process: string): Promise<Telemetry> =>
  openTelemetry(process, { tls: {}, sampled: 1, flushMs: 60_000, commit: 'unknown' }, systemClock);
