import type { Pool } from 'pg';
import { MessagingSignals } from '../messaging-signals';
import type { Outbox } from './outbox';
import { PublishLoop } from './publish-loop';

const done = () => Promise.resolve();

/**
 * Runs one round of a loop.
 * @returns the first signal that the loop gave
 */
async function roundOf({ connect = done, due = {} }: { connect?: () => Promise<void>; due?: Partial<Outbox> }) {
  const signals = new MessagingSignals();
  const heard: unknown[][] = [];
  for (const name of ['publish_failed', 'database_away', 'published'] as const) {
    signals.on(name, (...args: unknown[]) => heard.push([name, ...args.slice(0, 2).map(String)]));
  }
  const client = { query: done, release: () => undefined };
  const outbox = {
    broker: 'memory',
    take: () => Promise.resolve([{ id: 'one', kind: 'test', at: new Date(), traceparent: null }]),
    publish: done,
    remove: done,
    refuse: done,
    ...due,
  };
  const pool = { connect: () => connect().then(() => client) } as unknown as Pool;
  const loop = new PublishLoop(pool, outbox, signals);
  loop.start();
  await new Promise((resolve) => setTimeout(resolve, 20));
  await loop.stop();
  return heard[0];
}

const refuse = (message: string) => () => Promise.reject(new Error(message));

describe('PublishLoop', () => {
  it('signals a failed publish when the broker rejects the messages', async () => {
    expect(await roundOf({ due: { publish: refuse('no leader') } })).toEqual([
      'publish_failed',
      'memory',
      'Error: no leader',
    ]);
  });

  it.each([
    ['gives no connection', { connect: refuse('timeout exceeded when trying to connect') }],
    ['does not delete the published rows', { due: { remove: refuse('timeout exceeded when trying to connect') } }],
  ])('signals that PostgreSQL is away when PostgreSQL %s', async (_, fault) => {
    expect(await roundOf(fault)).toEqual([
      'database_away',
      'publish to memory',
      'Error: timeout exceeded when trying to connect',
    ]);
  });

  it('ends a back-off when it is stopped', async () => {
    const startedAt = performance.now();
    await roundOf({ due: { publish: refuse('no leader') } });
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });
});
