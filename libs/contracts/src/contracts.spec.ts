import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { z } from 'zod';
import {
  defineJob,
  longestMs,
  toMs,
  type Duration,
  jobStates,
  shownState,
  transitions,
  exponential,
  fixed,
  nextDelayMs,
  type RetryPolicy,
  headerText,
  storableText,
} from '.';

describe('retry policy', () => {
  const policy = exponential({ attempts: 9, base: '1s', max: '10s', jitter: 'none' });

  it('doubles the delay up to the maximum', () => {
    expect([1, 2, 3, 4, 5, 9].map((attempt) => nextDelayMs(policy, attempt))).toEqual([
      1_000, 2_000, 4_000, 8_000, 10_000, 10_000,
    ]);
  });

  it('spreads the delay evenly between zero and the computed delay with full jitter', () => {
    const jittered = { ...policy, jitter: 'full' as const };
    expect(nextDelayMs(jittered, 3, () => 0)).toBe(0);
    expect(nextDelayMs(jittered, 3, () => 0.5)).toBe(2_000);
    expect(nextDelayMs(jittered, 3, () => 1)).toBe(4_000);
  });

  it('keeps the delay the same when it is fixed', () => {
    expect([1, 5].map((attempt) => nextDelayMs(fixed({ attempts: 5, delay: '250ms' }), attempt))).toEqual([250, 250]);
  });

  it('gives a whole number within its bounds for any attempt', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5_000 }), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, random) => {
        const delay = nextDelayMs({ ...policy, jitter: 'full' }, attempt, () => random);
        return Number.isInteger(delay) && delay >= 0 && delay <= 10_000;
      }),
    );
  });
});

describe('the states of a job', () => {
  it('are the same in the diagram of docs/life-of-a-job.md and in the table of transitions', () => {
    const arrows = new Map<string, string[]>();
    for (const { from, to, by } of transitions) {
      const arrow = `${from ?? '[*]'} --> ${to}`;
      arrows.set(arrow, [...(arrows.get(arrow) ?? []), by]);
    }
    // A wider label covers those beside it.
    const label = (by: string[]) => by.join(by.length > 2 ? ',<br>' : ', ');
    const diagram = [...arrows].map(([arrow, by]) => `  ${arrow}: ${label(by)}`).join('\n');
    const docs = readFileSync(join(__dirname, '../../../docs/life-of-a-job.md'), 'utf8');
    expect(docs).toContain(`stateDiagram-v2\n${diagram}\n`);
  });
});

describe('duration', () => {
  it('is written as a number and a unit: ms, s, m or h', () => {
    expect(['250ms', '1s', '5m', '2h'].map((text) => toMs(text as Duration))).toEqual([250, 1_000, 300_000, 7_200_000]);
  });

  it.each([
    ['1.1h', 3_960_000],
    ['4.1m', 246_000],
    ['1.0005s', 1_001],
    ['0.1ms', 1],
    ['366d', 31_622_400_000],
  ])('%s is the whole number of milliseconds %i', (text, milliseconds) => {
    expect(toMs(text as Duration)).toBe(milliseconds);
  });

  it.each(['soon', '-1s', '0s', '367d', '20y', '1e3s'])('does not accept %j', (text) => {
    expect(() => toMs(text as Duration)).toThrow('Expected a duration from 1 ms to 31622400000 ms');
  });

  it('is a whole number within its range, or an error, for any number and unit', () => {
    const unit = fc.constantFrom('ms', 's', 'm', 'h', 'd', ' days', 'w', 'y', '');
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 1e6, noNaN: true }), unit, (number, name) => {
        const text = `${number.toFixed(7)}${name}` as Duration;
        try {
          const value = toMs(text);
          return Number.isInteger(value) && value >= 1 && value <= longestMs;
        } catch (error) {
          return error instanceof RangeError;
        }
      }),
    );
  });
});

describe('defineJob', () => {
  const plain = {
    kind: 'email.send',
    version: 1,
    queue: 'email',
    broker: 'bullmq',
    payload: z.object({}),
    result: z.object({}),
    retry: fixed({ attempts: 3, delay: '1s' }),
    timeout: '1s',
    concurrency: 1,
  } as const;

  const policy = (values: Partial<RetryPolicy>): { retry: RetryPolicy } => ({ retry: { ...plain.retry, ...values } });

  it.each([
    ['retry.baseMs', policy({ baseMs: 0.5 })],
    ['retry.baseMs', policy({ baseMs: Number.NaN })],
    ['retry.maxMs', policy({ maxMs: 3_960_000.0000000005 })],
    ['retry.maxMs', policy({ maxMs: Number.POSITIVE_INFINITY })],
    ['retry.attempts', policy({ attempts: 40_000 })],
    ['version', { version: 10_000 }],
    ['timeout', { timeout: '25d' as const }],
    ['rateLimit.per', { rateLimit: { max: 1, per: '25d' as const } }],
  ])('refuses a %s that PostgreSQL, a broker or a timer cannot hold', (field, values) => {
    expect(() => defineJob({ ...plain, ...values })).toThrow(`- ${field}: expected`);
  });

  it('converts time-outs and rate limits to whole milliseconds', () => {
    const { timeoutMs, rateLimit } = defineJob({ ...plain, timeout: '1.1h', rateLimit: { max: 3, per: '4.1m' } });
    expect([timeoutMs, rateLimit]).toEqual([3_960_000, { max: 3, perMs: 246_000 }]);
  });

  it('names every invalid field', () => {
    const define = () =>
      defineJob({
        kind: 'SendEmail',
        version: 0,
        queue: 'a:b',
        broker: 'bullmq',
        payload: z.object({}),
        result: z.object({}),
        retry: fixed({ attempts: 0, delay: '1s' }),
        timeout: '1s',
        concurrency: 0.5,
        rateLimit: { max: 0, per: '1s' },
      });
    for (const field of ['kind', 'version', 'queue', 'retry.attempts', 'concurrency', 'rateLimit.max']) {
      expect(define).toThrow(`- ${field}: expected`);
    }
  });
});

describe('the table of transitions', () => {
  it('shows a waiting job by what it waits for: queued, scheduled or retrying', () => {
    const now = new Date();
    const later = new Date(now.getTime() + 1);
    expect(shownState({ state: 'queued', runAt: now, attempt: 0 }, now)).toBe('queued');
    expect(shownState({ state: 'queued', runAt: later, attempt: 0 }, now)).toBe('scheduled');
    expect(shownState({ state: 'queued', runAt: later, attempt: 1 }, now)).toBe('retrying');
    expect(shownState({ state: 'active', runAt: later, attempt: 1 }, now)).toBe('active');
  });

  it('uses known states only, and never leaves completed or cancelled', () => {
    for (const { from, to } of transitions) {
      expect(jobStates).toContain(to);
      expect(['completed', 'cancelled']).not.toContain(from);
    }
  });
});

describe('text that can be stored', () => {
  it('has no NUL and no half of a surrogate pair', () => {
    const isStorable = (text: string) => storableText.safeParse(text).success;
    expect(['', 'a', '你好', '😀'].every(isStorable)).toBe(true);
    expect(['\0', 'a\0', '\ud83d', '\ude00\ud83d'].some(isStorable)).toBe(false);
  });

  it('is a header field only if it is one line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const isOneLine = !/[\p{Cc}]/u.test(text) && text.isWellFormed();
        return headerText.safeParse(text).success === isOneLine;
      }),
    );
    expect(headerText.safeParse('a\r\nBcc: b').success).toBe(false);
  });
});
