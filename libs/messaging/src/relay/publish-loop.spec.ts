import type { Pool } from 'pg';
import { MessagingSignals } from '../messaging-signals';
import type { Due } from './outbox';
import { PublishLoop } from './publish-loop';

const done = () => Promise.resolve();

/** One round of a loop. @returns the signals that it gave */
async function roundOf({ connect = done, due = {} }: { connect?: () => Promise<void>; due?: Partial<Due> }) {
  const signals = new MessagingSignals();
  const heard: unknown[][] = [];
  for (const name of ['publish_failed', 'database_away', 'published'] as const) {
    signals.on(name, (...args: unknown[]) => heard.push([name, ...args.slice(0, 2).map(String)]));
  }
  const client = { query: done, release: () => undefined };
  const outbox = {
    broker: 'kafka',
    take: () => Promise.resolve({ ids: ['one'], publish: done, remove: done, refuse: done, ...due }),
    nextDueMs: () => Promise.resolve(undefined),
  };
  const pool = { connect: () => connect().then(() => client) } as unknown as Pool;
  const loop = new PublishLoop(pool, outbox, signals);
  loop.start();
  await new Promise((resolve) => setTimeout(resolve, 20));
  await loop.stop();
  return heard[0];
}

const refuse = (message: string) => () => Promise.reject(new Error(message));

describe('a publish loop', () => {
  it('says that the broker takes no messages when the broker took none', async () => {
    expect(await roundOf({ due: { publish: refuse('no leader') } })).toEqual([
      'publish_failed',
      'kafka',
      'Error: no leader',
    ]);
  });

  it.each([
    ['gives no connection', { connect: refuse('timeout exceeded when trying to connect') }],
    ['does not remove what is published', { due: { remove: refuse('timeout exceeded when trying to connect') } }],
  ])('says that PostgreSQL is away when PostgreSQL %s', async (_, fault) => {
    expect(await roundOf(fault)).toEqual([
      'database_away',
      'publish to kafka',
      'Error: timeout exceeded when trying to connect',
    ]);
  });

  it('ends a back-off when it is stopped', async () => {
    const startedAt = performance.now();
    await roundOf({ due: { publish: refuse('no leader') } });
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });
});
