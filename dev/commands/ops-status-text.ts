import { calmText, type Hint, hintsOf } from '../../ops-api/status-page/hints.ts';
import { type Latest, nodesOf, type Status } from '../../ops-api/status-page/status.ts';
import { countText, due, levelText, number, span } from '../../ops-api/status-page/words.ts';

/** The status page in lines for a terminal, as it is now, and what is not as expected. */
export function statusText(
  status: Status,
  now: Date,
): { readonly lines: readonly string[]; readonly hints: readonly Hint[] } {
  const hints = hintsOf(status);
  const lines = [
    ...(hints.length === 0 ? [calmText(status)] : hints.map(({ text, runbook }) => `! ${text} (runbook ${runbook})`)),
    '',
    ...nodesOf(status.services).map(({ name, health, instances }) => {
      const [first] = nodesOf(instances);
      const running = first?.uptimeSeconds == null ? '' : `running for ${span(first.uptimeSeconds)}`;
      return row(name, health.toLowerCase().replace('_', ' '), running);
    }),
    ...publishing(status, now),
    ...counts(status),
    ...nodesOf(status.security?.events).map(({ process, kind, count }) => row(process, kind, countText(count))),
    ...nodesOf(status.certificates).map(({ process, name, remainingDays }) =>
      row(process, `certificate ${name}`, `ends in ${span(remainingDays * 86_400)}`),
    ),
  ];
  return { lines, hints };
}

const row = (...cells: readonly string[]): string =>
  cells
    .map((cell) => cell.padEnd(24))
    .join(' ')
    .trimEnd();
const ago = (seconds: number): string => `${span(seconds)} ago`;

function publishing({ distribution, probe }: Status, now: Date): string[] {
  if (distribution === null) return [];
  const line = (name: string, level: Latest | undefined, words: (value: number) => string) =>
    row(name, level === undefined ? '–' : levelText(level, words, now));
  return [
    ...distribution.packageAge.map(({ name, level }) => line(`newest ${name} package`, level, ago)),
    line('last good run', distribution.lastRunAge, ago),
    line('next run', distribution.nextRun, due),
    line('keys waiting', distribution.keysWaiting, number),
    line('probe went well', probe?.successAge, ago),
  ];
}

function counts({ intake, verification, labs }: Status): string[] {
  const results = verification?.results.filter(({ count }) => count.total !== null) ?? [];
  return [
    ...(intake
      ? [row('uploads, 24 h', countText(intake.uploadsAccepted)), row('downloads, 24 h', countText(intake.downloads))]
      : []),
    ...(verification?.tans ?? []).map(({ name, count }) => row(`TANs ${name}, 24 h`, countText(count))),
    ...results.map(({ family, result, count }) => row(`results ${family} ${result}`, countText(count))),
    ...nodesOf(labs?.partners).map(({ name, resultsStored }) =>
      row(`results of ${name}, 7 d`, countText(resultsStored)),
    ),
  ];
}
