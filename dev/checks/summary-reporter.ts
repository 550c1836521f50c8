import type { Reporter, TestModule } from 'vitest/node';

/** Ends a run with the plain line `N passed, N failed, N skipped`, which needs no knowledge of the runner to be read. */
export default class SummaryReporter implements Reporter {
  #line: string | undefined;

  onInit(): void {
    // After the runner's own summary, and after the projects have been closed.
    process.once('exit', () => {
      if (this.#line !== undefined) console.log(this.#line);
    });
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0, pending: 0 };
    for (const module of modules) {
      let own = 0;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'failed') own += 1;
        count[state] += 1;
      }
      // A file or suite can fail without a failed test: on import, or in a hook.
      if (own === 0 && module.state() === 'failed') count.failed += 1;
    }
    // A test that never came to run is not a pass.
    this.#line = `${count.passed} passed, ${count.failed} failed, ${count.skipped + count.pending} skipped`;
  }
}
