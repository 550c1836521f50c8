import { defineConfig } from 'vitest/config';
import { oneGraphql, patience } from './vitest.config.ts';

/** Tests that need tools which npm does not bring; each says what it skips when its tool is missing. */
export default defineConfig({
  resolve: oneGraphql,
  test: {
    include: ['{lib,svc,gateway,ops-api,phone,dev,k8s}/**/*.tools.test.ts'],
    reporters: ['default', './dev/checks/summary-reporter.ts'],
    expect: patience,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
