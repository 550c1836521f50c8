import { echoStep } from '../../lib/telemetry/catalog/metric.ts';
import { prometheusMetrics } from './prometheus-names.ts';

const begin = '<!-- metrics: written by npm run dashboards -->';
const end = '<!-- end of metrics -->';

/** The document with its table of all metrics made anew from the catalog. */
export function withMetricsTable(document: string): string {
  const [before, rest] = document.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`the document has no lines ${begin} and ${end}`);
  return `${before}${begin}\n\n${metricsTable()}\n\n${end}${after}`;
}

function metricsTable(): string {
  const rows = prometheusMetrics().map(({ metric, definition, family, labels }) => {
    const { kind, unit, step, echoes, of, description } = definition;
    const names = Object.keys(labels).map((label) => `\`${label}\``);
    const processes = of === 'every process' ? 'every' : of.join(', ');
    const cells = [
      `\`${metric}\``,
      `\`${family}\``,
      names.join(', '),
      kind,
      unit === '' ? '' : `\`${unit}\``,
      (step === 0 ? 'exact' : String(step)) + (echoes ? `; ${echoStep} of what phones cause` : ''),
      processes,
      description,
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    '| Name | Prometheus | Labels | Kind | Unit | Step | Processes | Meaning |',
    '|---|---|---|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}
