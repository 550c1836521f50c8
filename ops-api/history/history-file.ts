import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { History, type Told } from './history.ts';
import { Series } from './series.ts';

const name = z.string().max(200);
const values = z.array(z.number());
const schema = z.object({
  version: z.literal(1),
  headMinute: z.number().int(),
  series: z.array(
    z.object({
      process: name,
      metric: name,
      attributes: z.record(name, name),
      kind: z.enum(['counter', 'gauge']),
      headMinute: z.number().int(),
      minutes: values,
      hours: values,
    }),
  ),
  told: z.array(
    z.object({ instance: name, process: name, atMs: z.number(), values: z.array(z.tuple([z.string(), z.number()])) }),
  ),
});

/** Replaces the file in one step, readable by its owner alone. It holds what the catalog lets out, nothing finer. */
export function saveHistory(file: string, history: History): void {
  const { headMinute, series, told } = history.entries();
  const content: z.infer<typeof schema> = {
    version: 1,
    headMinute,
    series: series.map(({ process, metric, attributes, series: kept }) => ({
      process,
      metric,
      attributes: { ...attributes },
      kind: kept.kind,
      headMinute: kept.headMinute,
      minutes: kept.sparse('minute'),
      hours: kept.sparse('hour'),
    })),
    told: [...told].map(([instance, { process, atMs, values: last }]) => ({
      instance,
      process,
      atMs,
      values: [...last],
    })),
  };
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, JSON.stringify(content), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** What the file kept: `absent` and `unreadable` begin anew, and the next save replaces the file. */
export function loadHistory(file: string): {
  readonly history: History;
  readonly state: 'read' | 'absent' | 'unreadable';
} {
  const history = new History();
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return { history, state: (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'absent' : 'unreadable' };
  }
  try {
    const read = schema.parse(JSON.parse(text));
    const series = read.series.map(({ kind, headMinute, minutes, hours, ...kept }) => {
      const own = new Series(kind, headMinute);
      own.restore('minute', minutes);
      own.restore('hour', hours);
      return { ...kept, series: own };
    });
    const told = read.told.map(({ instance, values: last, ...rest }): [string, Told] => [
      instance,
      { ...rest, values: new Map(last) },
    ]);
    history.restore(read.headMinute, series, new Map(told));
    return { history, state: 'read' };
  } catch {
    return { history: new History(), state: 'unreadable' };
  }
}
