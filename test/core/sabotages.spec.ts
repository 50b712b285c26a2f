import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from '../support/postgres';
import { sabotages } from '../sabotage/sabotages';

const read = (path: string) => readFileSync(join(projectFolder, path), 'utf8');

/** The conformance specs of the drivers take their tests from these files. */
const suites = [
  'test/conformance/scenarios.ts',
  ...['suite', 'faults']
    .map((name) => join('test/conformance', name))
    .filter((folder) => existsSync(join(projectFolder, folder)))
    .flatMap((folder) => readdirSync(join(projectFolder, folder)).map((name) => join(folder, name))),
]
  .map(read)
  .join('\n');

describe.each(sabotages.map((sabotage) => [sabotage.name, sabotage] as const))('the sabotage "%s"', (_, sabotage) => {
  const { file, find, specs, test } = sabotage;

  it('has code to replace that occurs exactly once', () => {
    expect(read(file).split(find).length - 1).toBe(1);
  });

  it('names an existing test', () => {
    for (const spec of specs) expect(`${read(spec)}\n${spec.includes('conformance') ? suites : ''}`).toContain(test);
  });
});
