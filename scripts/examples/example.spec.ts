import { missingLine, readHeader } from './example';

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
      needs: ['kafka'],
      shows: ['delay', 'retry'],
      byHand: ['replay'],
      expect: ['a', 'b'],
    });
  });

  const needs = (folder: string, ...lines: string[]) =>
    readHeader(`examples/${folder}/one.ts`, header('One.', ...lines, 'Expect:', '  a')).needs;

  it('names the server when the folder does not', () => {
    expect(needs('nestjs', 'Needs: redis')).toEqual(['redis']);
    expect(() => needs('nestjs')).toThrow('lacks a line "Needs:"');
  });

  it('names several servers in any order, and then the folder adds none', () => {
    expect(needs('patterns', 'Needs: postgres, rabbitmq')).toEqual(['postgres', 'rabbitmq']);
    expect(needs('patterns', 'Needs: rabbitmq, postgres')).toEqual(['rabbitmq', 'postgres']);
    expect(needs('kafka', 'Needs: redis')).toEqual(['redis']);
  });

  it('is refused when it names a server that no example can have', () => {
    expect(() => needs('patterns', 'Needs: postgres, mysql')).toThrow('got "mysql"');
    expect(() => needs('patterns', 'Needs: postgres and redis')).toThrow('got "postgres and redis"');
  });

  it('is refused when several servers share a capability', () => {
    expect(() => needs('patterns', 'Needs: postgres, redis', 'Shows: delay')).toThrow('postgres, redis');
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
