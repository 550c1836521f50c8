import { defineConfig } from 'vitest/config';

const tests = '{lib,svc,gateway,ops-api,phone,dev,k8s}/**/*.test.ts';
const flows = 'dev/flows/**/*.test.ts';
const elsewhere = ['**/node_modules/**', '**/*.tools.test.ts', '**/*.long.test.ts'];

/** Node's own way to `graphql`: packages load it so, and its objects know only those of one copy. */
export const oneGraphql = { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] };

/** What a test waits for comes at once; on a loaded machine at once is later. The default of one second is not enough. */
export const patience = { poll: { timeout: 20_000 } };

/**
 * Flow tests start a whole mesh each: they come after everything else, one file at a time. (The groups start at 1: with
 * one worker, which is the default on two cores, group 0 would come last.)
 */
export default defineConfig({
  test: {
    reporters: ['default', './dev/checks/summary-reporter.ts'],
    projects: [
      {
        resolve: oneGraphql,
        test: {
          name: 'parts',
          include: [tests],
          exclude: [...elsewhere, flows],
          globalSetup: ['lib/testing/global-setup.ts'],
          expect: patience,
          testTimeout: 30_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        resolve: oneGraphql,
        test: {
          name: 'flows',
          include: [flows],
          exclude: elsewhere,
          fileParallelism: false,
          expect: patience,
          testTimeout: 180_000,
          hookTimeout: 180_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
