import { join } from 'node:path';
import { repositoryRoot } from '../../mesh/child.ts';
import type { Dashboard } from './builder.ts';
import { grafanaJson } from './grafana.ts';

export const dashboardsFolder = join(repositoryRoot, 'k8s/base/observability/dashboards');
export const fileOf = ({ name }: Dashboard): string => `${name}.json`;
export const textOf = (dashboard: Dashboard): string => `${JSON.stringify(grafanaJson(dashboard), null, 2)}\n`;
