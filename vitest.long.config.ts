import { defineConfig } from 'vitest/config';

/** Simulations that take an hour; `npm test` has a shorter form of each. */
export default defineConfig({
  test: {
    include: ['{lib,svc,gateway,ops-api,phone,dev,k8s}/**/*.long.test.ts'],
    globalSetup: ['lib/testing/global-setup.ts'],
    reporters: ['default', './dev/checks/summary-reporter.ts'],
    hookTimeout: 60_000,
  },
});
