import type { Dashboard, Panel } from './builder.ts';

const columns = 24;
const heights = { stat: 4, bargauge: 6, timeseries: 8 } as const;
/** What Grafana wants every link to say. */
const link = {
  icon: 'external link',
  tooltip: '',
  url: '',
  tags: [] as string[],
  asDropdown: false,
  includeVars: false,
  keepTime: false,
  targetBlank: false,
};
const datasource = { type: 'prometheus', uid: '${datasource}' };

/** The dashboard as Grafana imports it (schema 39, Grafana 10.4 and newer). */
export function grafanaJson({ name, title, description, rows }: Dashboard) {
  let id = 0;
  let y = 0;
  const panels: object[] = [];
  for (const row of rows) {
    panels.push({
      id: ++id,
      type: 'row',
      title: row.title,
      collapsed: false,
      gridPos: at(0, y, columns, 1),
      panels: [],
    });
    y += 1;
    for (const line of linesOf(row.panels)) {
      // Of one height, or Grafana moves what is below up into the gaps.
      const height = Math.max(...line.map(({ type }) => heights[type]));
      let x = 0;
      for (const panel of line) {
        panels.push({ id: ++id, gridPos: at(x, y, widthOf(panel), height), ...panelJson(panel) });
        x += widthOf(panel);
      }
      y += height;
    }
  }
  return {
    uid: `cwa-${name}`,
    title: `CWA / ${title}`,
    description,
    tags: ['cwa'],
    schemaVersion: 39,
    version: 1,
    editable: false,
    graphTooltip: 1,
    refresh: '1m',
    time: { from: 'now-24h', to: 'now' },
    timezone: 'utc',
    timepicker: { refresh_intervals: ['1m', '5m', '15m'] },
    annotations: { list: [] },
    links: [
      { ...link, type: 'dashboards', title: 'CWA', tags: ['cwa'], asDropdown: true, includeVars: true, keepTime: true },
    ],
    templating: { list: variables },
    panels,
  };
}

const at = (x: number, y: number, w: number, h: number) => ({ x, y, w, h });
const widthOf = ({ width, type }: Panel): number => width ?? (type === 'stat' ? 4 : 8);

function linesOf(panels: readonly Panel[]): Panel[][] {
  const lines: Panel[][] = [[]];
  let used = 0;
  for (const panel of panels) {
    if (used + widthOf(panel) > columns) {
      lines.push([]);
      used = 0;
    }
    lines.at(-1)?.push(panel);
    used += widthOf(panel);
  }
  return lines;
}

/** The source of the data, the window of rates (values change once a minute, in steps), and where runbooks are read. */
const windows = ['5m', '15m', '1h', '6h', '1d'];
const variables = [
  {
    name: 'datasource',
    label: 'Data source',
    type: 'datasource',
    query: 'prometheus',
    refresh: 1,
    hide: 0,
    current: { text: 'default', value: 'default' },
  },
  {
    name: 'window',
    label: 'Window',
    description: 'Of rates and shares. Counters move once a minute in steps of 5 or more: short windows are coarse.',
    type: 'custom',
    query: windows.join(','),
    options: windows.map((value) => ({ text: value, value, selected: value === '15m' })),
    current: { text: '15m', value: '15m', selected: true },
    hide: 0,
  },
  {
    name: 'runbooks',
    label: 'Runbooks at',
    description: 'Where docs/runbooks of the repository is read.',
    type: 'textbox',
    query: 'docs/runbooks',
    current: { text: 'docs/runbooks', value: 'docs/runbooks' },
    hide: 2,
  },
];

function panelJson(panel: Panel) {
  return {
    type: panel.type,
    title: panel.title,
    description: panel.description,
    datasource,
    targets: panel.queries.map(({ expr, legend }, at) => ({
      refId: String.fromCharCode(65 + at),
      datasource,
      expr,
      legendFormat: legend,
      editorMode: 'code',
      range: panel.type !== 'bargauge',
      instant: panel.type === 'bargauge',
    })),
    links: (panel.runbooks ?? []).map((alert) => ({
      ...link,
      type: 'link',
      title: `Runbook ${alert}`,
      url: `\${runbooks}/${alert}.md`,
      targetBlank: true,
    })),
    fieldConfig: { defaults: fieldDefaults(panel), overrides: [] },
    options: optionsOf(panel),
  };
}

function fieldDefaults(panel: Panel) {
  const { unit, max } = panel;
  return {
    unit,
    min: 0,
    ...(max === undefined ? {} : { max }),
    noValue: '–',
    thresholds: { mode: 'absolute', steps: thresholdSteps(panel) },
    color: { mode: panel.type === 'timeseries' ? 'palette-classic' : 'thresholds' },
    ...(panel.type === 'timeseries' ? { custom: lineStyle(panel) } : {}),
  };
}

/** Grafana wants the first step without a value. */
function thresholdSteps({ warn, bad, low = false }: Panel) {
  const step = (color: string, value: number | null | undefined) => (value === undefined ? [] : [{ color, value }]);
  if (!low) return [...step('green', null), ...step('yellow', warn), ...step('red', bad)];
  const below = bad === undefined ? 'yellow' : 'red';
  return [...step(below, null), ...step(warn === undefined ? 'green' : 'yellow', bad), ...step('green', warn)];
}

function lineStyle({ stack = false, warn, bad }: Panel) {
  return {
    drawStyle: 'line',
    lineWidth: 1,
    fillOpacity: stack ? 40 : 8,
    gradientMode: 'none',
    showPoints: 'never',
    spanNulls: 180_000,
    stacking: { mode: stack ? 'normal' : 'none', group: 'A' },
    thresholdsStyle: { mode: warn === undefined && bad === undefined ? 'off' : 'dashed' },
  };
}

function optionsOf({ type }: Panel) {
  const reduceOptions = { calcs: ['lastNotNull'], fields: '', values: false };
  switch (type) {
    case 'timeseries':
      return {
        legend: { displayMode: 'table', placement: 'bottom', showLegend: true, calcs: ['lastNotNull', 'max'] },
        tooltip: { mode: 'multi', sort: 'desc' },
      };
    case 'stat':
      return {
        reduceOptions,
        colorMode: 'value',
        graphMode: 'area',
        justifyMode: 'auto',
        textMode: 'auto',
        orientation: 'auto',
      };
    case 'bargauge':
      return { reduceOptions, displayMode: 'basic', orientation: 'horizontal', showUnfilled: true, valueMode: 'color' };
  }
}
