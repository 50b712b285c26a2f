import { capabilityNames, type Capabilities } from '@app/messaging';
import { libraryTable, nativeTable } from './tables';
import { chinese, english } from './words';

const examples = {
  rabbitmq: {
    priority: [
      { file: 'examples/rabbitmq/b.ts', passed: true },
      { file: 'examples/rabbitmq/a.ts', passed: true },
      { file: 'examples/rabbitmq/failed.ts', passed: false },
    ],
  },
  kafka: { replay: [{ file: 'examples/kafka/c.ts', passed: true }] },
};

const allNative = Object.fromEntries(capabilityNames.map((name) => [name, 'native'])) as unknown as Capabilities;
const capabilities: Capabilities = { ...allNative, delay: 'bus', replay: 'none' };
const conformance = { kafka: { passed: 55, failed: 1, skipped: 1, capabilities } };

describe('the table of what a broker does by itself', () => {
  it('has the examples that passed, in English, with links from docs/', () => {
    expect(nativeTable(examples, english, '../').split('\n')).toEqual([
      '| By itself | rabbitmq                                                       | kafka                       |',
      '| --------- | -------------------------------------------------------------- | --------------------------- |',
      '| Priority  | [a](../examples/rabbitmq/a.ts), [b](../examples/rabbitmq/b.ts) | –                           |',
      '| Replay    | –                                                              | [c](../examples/kafka/c.ts) |',
    ]);
  });

  it('has the same examples in Chinese, with links from docs/zh-CN/ and characters of two columns', () => {
    expect(nativeTable(examples, chinese, '../../').split('\n')).toEqual([
      '| 消息代理自带 | rabbitmq                                                             | kafka                          |',
      '| ------------ | -------------------------------------------------------------------- | ------------------------------ |',
      '| 优先级       | [a](../../examples/rabbitmq/a.ts), [b](../../examples/rabbitmq/b.ts) | –                              |',
      '| 重放         | –                                                                    | [c](../../examples/kafka/c.ts) |',
    ]);
  });
});

describe('the table of what this library adds', () => {
  it.each([
    [english, ['this library', 'no', 'the broker', '55 of 57']],
    [chinese, ['本项目', '不支持', '消息代理', '55 / 57']],
  ])('has the provider of each capability and the tests that passed: %#', (words, [bus, none, native, passed]) => {
    const cells = new Map(
      libraryTable(conformance, words)
        .split('\n')
        .map((row) => row.slice(2, -2).split('|'))
        .map(([name, cell]) => [name!.trim(), cell!.trim()] as const),
    );
    expect([...cells.values()].slice(2)).toHaveLength(capabilityNames.length + 1);
    expect(cells.get(words.capabilities.delay)).toBe(bus);
    expect(cells.get(words.capabilities.replay)).toBe(none);
    expect(cells.get(words.capabilities.retry)).toBe(native);
    expect(cells.get(words.testsPassed)).toBe(passed);
  });
});
