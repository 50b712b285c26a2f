import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findExamples, missingLine, readHeader } from './example';

const projectFolder = join(__dirname, '../..');
const header = (...lines: string[]): string =>
  `/**\n${lines.map((line) => (line ? ` * ${line}` : ' *')).join('\n')}\n */\nx();\n`;

describe('the header of an example', () => {
  it('has what the example shows, what it does by hand, and what it prints', () => {
    const source = header(
      'One line.',
      '',
      'More of it.',
      '',
      'Shows: delay, retry',
      'By hand: replay',
      'Expect:',
      '  a',
      '  b',
    );
    expect(readHeader('examples/kafka/one.ts', source)).toEqual({
      file: 'examples/kafka/one.ts',
      summary: 'One line.',
      needs: 'kafka',
      shows: ['delay', 'retry'],
      byHand: ['replay'],
      expect: ['a', 'b'],
    });
  });

  it('names the server when the folder does not', () => {
    expect(readHeader('examples/nestjs/one.ts', header('One.', 'Needs: redis', 'Expect:', '  a')).needs).toBe('redis');
    expect(() => readHeader('examples/nestjs/one.ts', header('One.', 'Expect:', '  a'))).toThrow(
      'lacks a line "Needs:',
    );
  });

  it('is refused when a word is not a capability, or when it has no expected output', () => {
    expect(() => readHeader('examples/kafka/one.ts', header('One.', 'Shows: delays', 'Expect:', '  a'))).toThrow(
      'delays',
    );
    expect(() => readHeader('examples/kafka/one.ts', header('One.'))).toThrow('"Expect:"');
    expect(() => readHeader('examples/kafka/one.ts', 'x();\n')).toThrow('comment');
  });
});

describe('the expected lines', () => {
  it('are found in order; … matches any text', () => {
    expect(missingLine(['took … ms', 'done (2)'], 'it took 7 ms\nnoise\ndone (2)\n')).toBeUndefined();
    expect(missingLine(['done', 'took … ms'], 'took 7 ms\ndone\n')).toBe('took … ms');
    expect(missingLine(['done (2)'], 'done 2\n')).toBe('done (2)');
  });
});

describe('examples/README.md', () => {
  const readme = readFileSync(join(projectFolder, 'examples/README.md'), 'utf8');
  const rows = new Map(
    [...readme.matchAll(/^\| \[([^\]]+)\]\([^)]+\) +\| (.*?) +\| `([^`]+)` +\|$/gm)].map(([, file, summary, run]) => [
      `examples/${file}`,
      { summary, run },
    ]),
  );

  it('has a row for every example, with the summary in its header, and no other row', () => {
    expect(Object.fromEntries(rows)).toEqual(
      Object.fromEntries(
        findExamples(projectFolder).map(({ file, summary }) => [
          file,
          { summary, run: `scripts/run-examples.sh ${file.replace(/^examples\/|\.ts$/g, '')}` },
        ]),
      ),
    );
  });
});
