import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from '../support/postgres';
import { sabotages } from '../sabotage/sabotages';

it.each(sabotages.map((sabotage) => [sabotage.name, sabotage] as const))(
  'the sabotage "%s" finds its protection once',
  (_, { file, find }) => {
    expect(readFileSync(join(projectFolder, file), 'utf8').split(find).length - 1).toBe(1);
  },
);
