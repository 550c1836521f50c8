import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Metrics } from './metrics.ts';

/** Ten timers a second: fifty would cost each process 0.4 % of a CPU for a figure that is told once a minute. */
const resolutionMs = 100;

/** What every process tells of itself, read once a minute. Returns the way to stop. */
export function observeProcess(metrics: Metrics): () => void {
  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  delay.enable();
  const one = (value: number) => [{ attributes: {}, value }];
  metrics.observe('process.cpu.time', () => {
    const { user, system } = process.cpuUsage();
    const modes = { user, system };
    return (['user', 'system'] as const).map((mode) => ({
      attributes: { 'cpu.mode': mode },
      value: modes[mode] / 1e6,
    }));
  });
  metrics.observe('process.memory.usage', () => one(process.memoryUsage.rss()));
  metrics.observe('v8js.memory.heap.used', () => one(process.memoryUsage().heapUsed));
  metrics.observe('process.uptime', () => one(process.uptime()));
  metrics.observe('nodejs.eventloop.delay.p99', () => {
    // The histogram measures timers of that length; what is above it is delay.
    const late = Math.max(0, delay.percentile(99) / 1e9 - resolutionMs / 1_000);
    delay.reset();
    return one(late);
  });
  return () => delay.disable();
}
