import type { capabilityNames, Support } from '@app/messaging';

/** The words of the tables in one language. */
export interface Words {
  readonly byItself: string;
  readonly withThisLibrary: string;
  readonly testsPassed: string;
  readonly capabilities: Readonly<Record<(typeof capabilityNames)[number], string>>;
  readonly supports: Readonly<Record<Support, string>>;
  passedOf(passed: number, all: number): string;
}

export const english: Words = {
  byItself: 'By itself',
  withThisLibrary: 'With this library',
  testsPassed: 'Conformance tests passed',
  capabilities: {
    priority: 'Priority',
    rateLimit: 'Rate limit',
    concurrency: 'Concurrency',
    orderPerKey: 'Order per key, of jobs',
    broadcast: 'Broadcast',
    eventOrder: 'Order per key, of events',
    replay: 'Replay',
    delay: 'Delay',
    retry: 'Retry',
    deadLetter: 'Dead letter',
  },
  supports: { native: 'the broker', bus: 'this library', none: 'no' },
  passedOf: (passed, all) => `${passed} of ${all}`,
};

export const chinese: Words = {
  byItself: '消息代理自带',
  withThisLibrary: '经过本项目',
  testsPassed: '通过的一致性测试',
  capabilities: {
    priority: '优先级',
    rateLimit: '限流',
    concurrency: '并发数',
    orderPerKey: '任务按键有序',
    broadcast: '广播',
    eventOrder: '事件按键有序',
    replay: '重放',
    delay: '延迟',
    retry: '重试',
    deadLetter: '死信',
  },
  supports: { native: '消息代理', bus: '本项目', none: '不支持' },
  passedOf: (passed, all) => `${passed} / ${all}`,
};
