import type { Dashboard } from './builder.ts';
import { capacity } from './capacity.ts';
import { distribution } from './distribution.ts';
import { gateway } from './gateway.ts';
import { journey } from './journey.ts';
import { opsApi } from './ops-api.ts';
import { prober } from './prober.ts';
import { security } from './security.ts';
import { submission } from './submission.ts';
import { testResult } from './test-result.ts';
import { verification } from './verification.ts';

export const dashboards: readonly Dashboard[] = [
  journey,
  capacity,
  security,
  gateway,
  submission,
  verification,
  testResult,
  distribution,
  prober,
  opsApi,
];
