import { addEntry, addImport, addItem } from './edit-source';

const source = `import 'reflect-metadata';
import { a } from '@app/a';
import {
  c,
  d,
} from '@app/c';
import { z } from './z';

const list: readonly string[] = [a(['x']), { c }];
`;

describe('addImport', () => {
  it.each([
    ['@app/b', `import { a } from '@app/a';\nimport { b } from '@app/b';\nimport {\n  c,`],
    ['@app/d', `} from '@app/c';\nimport { b } from '@app/d';\nimport { z } from './z';`],
    ['./b', `} from '@app/c';\nimport { b } from './b';\nimport { z } from './z';`],
    ['./zz', `import { z } from './z';\nimport { b } from './zz';\n\nconst`],
  ])('adds %s where the order puts it', (from, expected) => {
    expect(addImport(source, 'b', from)).toContain(expected);
  });
});

describe('addItem', () => {
  it('adds an item to the end of a list, whatever is in the list', () => {
    expect(addItem(source, 'readonly string[] = [', 'e')).toContain(`= [a(['x']), { c }, e];`);
    expect(addItem('x: [\n  a,\n]', 'x: [', 'b')).toBe('x: [\n  a,b]');
    expect(addItem('x: []', 'x: [', 'b')).toBe('x: [b]');
  });

  it('throws when there is no such list', () => {
    expect(() => addItem(source, 'jobs: [', 'e')).toThrow('Expected a list that begins with `jobs: [`, found none.');
  });
});

it('addEntry adds an entry to the beginning of an object', () => {
  expect(addEntry('const x = {\n  a: 1,\n};', 'const x = {', '  b: 2')).toBe('const x = {\n  b: 2,\n  a: 1,\n};');
});
