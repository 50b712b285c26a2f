// The last lines of a test run: what ran on which broker, and one line that counts it all.
module.exports = class SummaryReporter {
  onRunComplete(_contexts, results) {
    const {
      numPassedTests: passed,
      numFailedTests: failed,
      numPendingTests: skipped,
      numRuntimeErrorTestSuites: broken,
    } = results;
    const rows = new Map();
    for (const suite of results.testResults) {
      for (const { ancestorTitles, status } of suite.testResults) {
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
      process.stdout.write(
        `\n${lines.sort().join('\n')}\n\n${passed} passed, ${failed + broken} failed, ${skipped} skipped\n`,
      );
    });
  }
};
