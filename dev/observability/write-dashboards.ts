import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dashboards } from './dashboards/all.ts';
import { dashboardsFolder, fileOf, textOf } from './dashboards/files.ts';
import { repositoryRoot } from '../mesh/child.ts';
import { withMetricsTable } from './metrics-table.ts';

/** `npm run dashboards`: writes what Grafana imports, and the table of metrics in docs/observability.md. */
mkdirSync(dashboardsFolder, { recursive: true });
for (const dashboard of dashboards) writeFileSync(join(dashboardsFolder, fileOf(dashboard)), textOf(dashboard));
const document = join(repositoryRoot, 'docs/observability.md');
writeFileSync(document, withMetricsTable(readFileSync(document, 'utf8')));
process.stdout.write(`${dashboards.length} dashboards written to k8s/base/observability/dashboards\n`);
