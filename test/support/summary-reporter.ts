import type { Reporter, TestModule } from 'vitest/node';

/** Prints `N passed, N failed, N skipped` alone on the last line, so that a run that tested nothing shows. */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0, pending: 0 };
    for (const module of modules) {
      const tests = [...module.children.allTests()];
      for (const test of tests) counts[test.result().state]++;
      // A file that does not even load has no tests to fail.
      if (module.state() === 'failed' && !tests.some((test) => !test.ok())) counts.failed++;
    }
    const failed = counts.failed + counts.pending + errors.length;
    process.on('exit', () => {
      process.stdout.write(
        `${counts.passed} passed, ${failed} failed, ${counts.skipped} skipped\n`,
      );
    });
  }
}
