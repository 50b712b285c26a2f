// The last lines of a test run: the tests and passing `expect` calls of each project, the tests on each broker, and one
// line that counts all tests.
module.exports = class SummaryReporter {
  onRunComplete(_contexts, results) {
    const {
      numPassedTests: passed,
      numFailedTests: failed,
      numPendingTests: skipped,
      numRuntimeErrorTestSuites: broken,
    } = results;
    const rows = new Map();
    const expects = new Map();
    for (const suite of results.testResults) {
      // A file that did not load has no project.
      const project = suite.displayName?.name ?? 'not loaded';
      for (const { ancestorTitles, status, numPassingAsserts = 0 } of suite.testResults) {
        expects.set(project, (expects.get(project) ?? 0) + numPassingAsserts);
        const backend =
          ancestorTitles.map((title) => /^on (.+)$/.exec(title)?.[1]).find(Boolean) ?? 'without a broker, or any';
        const row = rows.get(backend) ?? { passed: 0, failed: 0, skipped: 0 };
        row[status === 'passed' ? 'passed' : status === 'failed' ? 'failed' : 'skipped'] += 1;
        rows.set(backend, row);
      }
    }
    const lines = [...rows].map(
      ([backend, row]) =>
        `${backend.padEnd(26)} ${String(row.passed).padStart(6)} passed ${String(row.failed).padStart(4)} failed ${String(row.skipped).padStart(4)} skipped`,
    );
    // At the very end: Jest's own summary comes after all reporters.
    process.once('exit', () => {
      const expected = [...expects].sort().map(([project, count]) => `${project} ${count}`);
      process.stdout.write(
        `\nexpect calls: ${expected.join(', ')}\n\n${lines.sort().join('\n')}\n\n${passed} passed, ${failed + broken} failed, ${skipped} skipped\n`,
      );
    });
  }
};
