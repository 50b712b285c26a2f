import { join } from 'node:path';
import { findExamples, type Example } from '../../scripts/examples/example';
import { writeReport } from '../../scripts/examples/report';
import { runExample, type Run } from '../../scripts/examples/run-example';
import { serverNames, servers } from '../../scripts/examples/servers';

const projectFolder = join(__dirname, '../..');
const sideBySide = 3;
const examples = findExamples(projectFolder);
const addressOf = new Map(serverNames.map((server) => [server, process.env[`TEST_${servers[server].variable}`]]));
const started: Promise<Run>[] = [];

/** Starts all examples, a few at the same time. Each test waits for its own. */
function start(these: readonly Example[], address: string): Map<string, Promise<Run>> {
  const runs: Promise<Run>[] = [];
  for (const example of these) {
    const earlier = runs[runs.length - sideBySide] ?? Promise.resolve();
    runs.push(earlier.then(() => runExample(projectFolder, example, { address })));
  }
  started.push(...runs);
  return new Map(these.map(({ file }, index) => [file, runs[index]!]));
}

for (const server of serverNames) {
  const address = addressOf.get(server);
  const own = examples.filter(({ needs }) => needs === server);

  (address ? describe : describe.skip)(`on ${server}`, () => {
    let runs: Map<string, Promise<Run>>;
    beforeAll(() => {
      runs = start(own, address!);
    });

    for (const { file } of own) {
      it(`${file} prints the lines in its header`, async () => {
        const { faults, output } = await runs.get(file)!;
        expect({ faults, output: faults.length === 0 ? '' : output }).toEqual({ faults: [], output: '' });
      });
    }
  });
}

// Writes the report only after a complete run.
afterAll(async () => {
  const whole = examples.filter(({ needs }) => addressOf.get(needs));
  if (started.length > 0 && started.length === whole.length) writeReport(projectFolder, await Promise.all(started));
});
