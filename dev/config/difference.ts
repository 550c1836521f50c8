import type { JsonValue } from '@bufbuild/protobuf';
import type { ReadableConfiguration } from './readable.ts';

export interface Difference {
  /** Object key of the file. */
  readonly file: string;
  readonly field: string;
  /** Absent where there was nothing. */
  readonly before?: JsonValue;
  readonly after?: JsonValue;
}

/** What becomes different field by field, files in the order of their names. */
export function differences(before: ReadableConfiguration, after: ReadableConfiguration): Difference[] {
  const files = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return files.flatMap((file) => {
    const [old, next] = [leaves(before[file]), leaves(after[file])];
    const fields = [...new Set([...old.keys(), ...next.keys()])];
    return fields
      .filter((field) => old.get(field) !== next.get(field))
      .map((field): Difference => {
        const [was, is] = [old.get(field), next.get(field)];
        return {
          file,
          field,
          ...(was === undefined ? {} : { before: was }),
          ...(is === undefined ? {} : { after: is }),
        };
      });
  });
}

export function differenceText(found: readonly Difference[]): string {
  const lines: string[] = [];
  for (const [file, ofFile] of Map.groupBy(found, (difference) => difference.file)) {
    lines.push(file);
    for (const { field, before, after } of ofFile) lines.push(`  ${field}: ${shown(before)} → ${shown(after)}`);
  }
  return lines.join('\n');
}

const shown = (value: JsonValue | undefined): string => (value === undefined ? 'absent' : JSON.stringify(value));

/** Single values by their path; an empty list or object is a value too. */
function leaves(value: JsonValue | undefined, path = ''): Map<string, JsonValue> {
  if (value === undefined) return new Map();
  const parts: [string, JsonValue][] =
    typeof value !== 'object' || value === null
      ? []
      : Object.entries(value).map(([name, part]) => [
          Array.isArray(value) ? `${path}[${name}]` : `${path}${path && '.'}${name}`,
          part,
        ]);
  if (parts.length > 0) return new Map(parts.flatMap(([at, part]) => [...leaves(part, at)]));
  // Equal when equal as text: an empty list is not the same object twice.
  const single = typeof value === 'object' && value !== null ? JSON.stringify(value) : value;
  return path === '' ? new Map() : new Map([[path, single]]);
}
