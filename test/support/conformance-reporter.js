// Writes reports/conformance.json after a run of the whole conformance suite: by driver, what passed and what it claims.
const { mkdirSync, writeFileSync } = require('node:fs');
const { basename, join } = require('node:path');

const root = join(__dirname, '../..');
const drivers = ['memory', 'bullmq-postgres', 'bullmq-redis', 'rabbitmq', 'kafka'];

module.exports = class ConformanceReporter {
  onRunComplete(_contexts, { testResults }) {
    const report = {};
    for (const driver of drivers) {
      const suite = testResults.find(
        ({ testFilePath }) =>
          basename(join(testFilePath, '..')) === 'conformance' && basename(testFilePath) === `${driver}.spec.ts`,
      );
      const count = (...statuses) => suite.testResults.filter(({ status }) => statuses.includes(status)).length;
      if (!suite || suite.testResults.length === 0) return;
      const [passed, failed, skipped] = [count('passed'), count('failed'), count('pending', 'todo')];
      if (skipped > 0 && passed + failed > 0) return; // Only some of it was asked for.
      report[driver] = { passed, failed, skipped, capabilities: capabilitiesOf(driver) };
    }
    mkdirSync(join(root, 'reports'), { recursive: true });
    writeFileSync(join(root, 'reports/conformance.json'), `${JSON.stringify(report, null, 2)}\n`);
  }
};

/** What the driver that was tested declares, from the built code. */
function capabilitiesOf(driver) {
  require('reflect-metadata');
  return require(join(root, 'dist/libs/messaging/src')).brokerCapabilities[driver.split('-')[0]];
}
