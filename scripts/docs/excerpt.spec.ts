import { excerptOf } from './excerpt';

const source = `import x from 'y';

/** Counts. */
export class Counter {
  private n = 0;

  // One more.
  add(by = 1): void {
    // The sum.
    this.n += by; // so far
    if (by > 9) {
      console.log('many');
      console.log('done');
      return;
    }
  }
}

const settings = {
  name: 'a',
  age: 2, // years
};

it('counts', () => {
  expect(1).toBe(1);
});
`;

describe('excerptOf', () => {
  it.each([
    ['a declared name, with its comment', 'settings', "const settings = {\n  name: 'a',\n  age: 2, // years\n};"],
    ['a member, without its indentation', 'Counter.n', 'private n = 0;'],
    ['the beginning of a statement', '`it(`', "it('counts', () => {\n  expect(1).toBe(1);\n});"],
    ['the comments around a statement', '`this.n +=`', '// The sum.\nthis.n += by; // so far'],
    ['a part of an object', '`age`', 'age: 2, // years'],
    [
      'from one statement to another',
      "`console.log('many')` .. `return`",
      "console.log('many');\nconsole.log('done');\nreturn;",
    ],
    ['from one name to another', 'settings .. `it(`', /^const settings[^]*\}\);$/],
  ])('cuts out %s', (_, selector, expected) => {
    const excerpt = excerptOf('a.ts', source, selector);
    if (typeof expected === 'string') expect(excerpt).toBe(expected);
    else expect(excerpt).toMatch(expected);
  });

  it('keeps the comment of a method', () => {
    expect(excerptOf('a.ts', source, 'Counter.add')).toMatch(
      /^\/\/ One more\.\nadd\(by = 1\): void \{\n {2}\/\/ The sum\./,
    );
  });

  it('refuses a selector that names nothing', () => {
    expect(() => excerptOf('a.ts', source, 'Counter.remove')).toThrow(
      'a.ts has nothing that the selector Counter.remove',
    );
    expect(() => excerptOf('a.ts', source, '`export const`')).toThrow('a.ts has nothing');
    expect(() => excerptOf('a.ts', source, 'Counter .. `this.n`')).toThrow('a.ts has nothing');
  });

  it('cuts lines out of other files', () => {
    const text = 'a:\n  b: 1\n  c:\n    d: 2\ne: 3\n';
    expect(excerptOf('a.yml', text, '`b:` .. `d:`')).toBe('b: 1\nc:\n  d: 2');
    expect(() => excerptOf('a.yml', text, '`f:`')).toThrow('a.yml has nothing');
  });

  it('gives the command and the expected lines of an example', () => {
    const example = '/**\n * One.\n *\n * Needs: redis\n * Expect:\n *   first\n *   second …\n */\nmain();\n';
    expect(excerptOf('examples/bullmq/one.ts', example, 'output')).toBe(
      '$ scripts/run-examples.sh bullmq/one\nfirst\nsecond …',
    );
  });
});
