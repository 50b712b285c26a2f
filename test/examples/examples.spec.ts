import { join } from 'node:path';
import { findExamples, type Example } from '../../scripts/examples/example';
import { runExample, writeReport, type Run } from '../../scripts/examples/run-example';
import { serverNames, servers, type Addresses } from '../../scripts/examples/servers';
import { freshDatabase } from '../support/postgres';

const projectFolder = join(__dirname, '../..');
const sideBySide = 3;
const examples = findExamples(projectFolder);
const addresses: Addresses = Object.fromEntries(
  serverNames
    .map((server) => [
      server,
      process.env[server === 'postgres' ? 'TEST_POSTGRES_URL' : `TEST_${servers[server].variable}`],
    ])
    .filter(([, address]) => address),
);
const canRun = ({ needs }: Example): boolean => needs.every((server) => addresses[server] !== undefined);
const started: Promise<Run>[] = [];

/** An example that needs PostgreSQL gets a database of its own. It gets the addresses of all servers that there are. */
async function run(example: Example): Promise<Run> {
  if (!example.needs.includes('postgres')) return runExample(projectFolder, example, { addresses });
  const database = await freshDatabase();
  try {
    return await runExample(projectFolder, example, { addresses: { ...addresses, postgres: database.url } });
  } finally {
    await database.drop();
  }
}

/** Starts all examples, a few at the same time. Each test waits for its own. */
function start(these: readonly Example[]): Map<string, Promise<Run>> {
  const runs: Promise<Run>[] = [];
  for (const example of these) {
    const earlier = runs[runs.length - sideBySide] ?? Promise.resolve();
    runs.push(earlier.then(() => run(example)));
  }
  started.push(...runs);
  return new Map(these.map(({ file }, index) => [file, runs[index]!]));
}

for (const needs of new Set(examples.map((example) => example.needs.join(' and ')))) {
  const own = examples.filter((example) => example.needs.join(' and ') === needs);

  (own.every(canRun) ? describe : describe.skip)(`on ${needs}`, () => {
    let runs: Map<string, Promise<Run>>;
    beforeAll(() => {
      runs = start(own);
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
  if (started.length > 0 && started.length === examples.filter(canRun).length) {
    writeReport(projectFolder, await Promise.all(started));
  }
});
