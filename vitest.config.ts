import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{lib,svc,gateway,ops-api,phone,dev,k8s}/**/*.test.ts'],
    globalSetup: ['lib/testing/global-setup.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
