import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { faultsOf } from '../catalog-check.ts';
import { readRules, vocabularyWith } from '../rules.ts';
import { dashboards } from './all.ts';
import { dashboardsFolder, fileOf, textOf } from './files.ts';
import { grafanaJson } from './grafana.ts';

const panels = dashboards.flatMap(({ name, rows }) =>
  rows.flatMap(({ panels }) => panels.map((panel) => ({ ...panel, at: `${name}: ${panel.title}` }))),
);

test('the files are what the definitions make: npm run dashboards', () => {
  expect(readdirSync(dashboardsFolder).sort()).toEqual(dashboards.map(fileOf).sort());
  for (const dashboard of dashboards) {
    expect(readFileSync(join(dashboardsFolder, fileOf(dashboard)), 'utf8'), fileOf(dashboard)).toBe(textOf(dashboard));
  }
});

test('queries ask only for what the catalog or a rule has', () => {
  const known = vocabularyWith(readRules());

  const faults = panels.flatMap(({ at, queries }) =>
    queries.flatMap(({ expr }) => faultsOf(expr, known).map((fault) => `${at}: ${fault}`)),
  );

  expect(faults).toEqual([]);
});

test('legends name labels that the query keeps', () => {
  const faults = panels.flatMap(({ at, queries }) =>
    queries.flatMap(({ expr, legend }) =>
      [...legend.matchAll(/\{\{(\w+)\}\}/g)]
        .map(([, label]) => label ?? '')
        .filter(
          (label) =>
            label !== 'instance' &&
            !new RegExp(`by \\([^)]*\\b${label}\\b`).test(expr) &&
            !expr.includes('on (cwa_slo)'),
        )
        .map((label) => `${at}: ${label}`),
    ),
  );

  expect(faults).toEqual([]);
});

test('runbooks that panels link to exist', () => {
  const alerts = new Set(readRules().map(({ alert }) => alert));

  expect(panels.flatMap(({ runbooks = [] }) => runbooks).filter((name) => !alerts.has(name))).toEqual([]);
});

test('panels do not overlap and fill no more than 24 columns', () => {
  for (const dashboard of dashboards) {
    const taken = new Set<string>();
    for (const { gridPos } of grafanaJson(dashboard).panels as {
      gridPos: { x: number; y: number; w: number; h: number };
    }[]) {
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.has(`${x},${y}`), `${dashboard.name} at ${x},${y}`).toBe(false);
          taken.add(`${x},${y}`);
        }
    }
  }
});

test('every process of the mesh and of operations has a dashboard, and names are unique', () => {
  const names = dashboards.map(({ name }) => name);

  expect(new Set(names).size).toBe(names.length);
  expect(names).toEqual(
    expect.arrayContaining([
      'gateway',
      'submission',
      'verification',
      'test-result',
      'distribution',
      'prober',
      'ops-api',
      'journey',
      'capacity',
      'security',
    ]),
  );
});

test('every panel says what it shows', () => {
  for (const { at, description, queries } of panels) {
    expect(description.length, at).toBeGreaterThan(20);
    expect(queries.length, at).toBeGreaterThan(0);
  }
});

test('Grafana can import them: short unique uids, unique panels and targets, thresholds in order, no variable unknown', () => {
  const all = dashboards.map(grafanaJson);

  expect(new Set(all.map(({ uid }) => uid)).size).toBe(all.length);
  for (const dashboard of all) {
    expect(dashboard.uid).toMatch(/^[a-z-]{1,40}$/);
    expect(dashboard.schemaVersion).toBeGreaterThanOrEqual(39);
    const ids = dashboard.panels.map((panel) => (panel as { id: number }).id);
    expect(new Set(ids).size).toBe(ids.length);
    const variables = new Set(dashboard.templating.list.map(({ name }) => name));
    for (const [, name] of JSON.stringify(dashboard).matchAll(/\$\{?([a-z]\w*)/g)) expect(variables).toContain(name);
    for (const steps of thresholdsOf(dashboard.panels)) {
      expect(steps[0]?.value).toBeNull();
      const values = steps.slice(1).map(({ value }) => value ?? Number.NaN);
      expect(values).toEqual([...values].sort((a, b) => a - b));
    }
  }
});

type Steps = readonly { readonly value: number | null }[];

const thresholdsOf = (panels: readonly object[]): Steps[] =>
  (panels as { fieldConfig?: { defaults: { thresholds: { steps: Steps } } } }[]).flatMap(({ fieldConfig }) =>
    fieldConfig === undefined ? [] : [fieldConfig.defaults.thresholds.steps],
  );
