/**
 * A domain event: one fact, any number of subscribers, and no caller that waits.
 *
 * `recordEvent` writes the event in the transaction of the change that it reports: it is published if, and only if,
 * that transaction commits. Each subscriber gets each event, and skips the ones that it has handled before. A
 * subscriber that fails is retried by itself; the others do not wait for it.
 *
 * Expect:
 *   rolled back: no event
 *   search indexes order 1
 *   search indexes order 2
 *   the warehouse has printed nothing yet
 *   the warehouse prints order 1
 *   the warehouse prints order 2
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { z } from 'zod';
import { defineEvent, fixed } from '@app/contracts';
import { recordEvent } from '@app/ledger';
import { onEvent, runCore, tenant } from '@app/testing';

const orderPlaced = defineEvent({
  kind: 'order.placed',
  version: 1,
  broker: 'memory',
  data: z.strictObject({ order: z.int() }),
  key: ({ order }) => String(order), // Events with one key stay in order, on every broker.
  subscribers: ['search', 'warehouse'],
  retry: fixed({ attempts: 200, delay: '50ms' }),
});

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  const [indexed, printed]: [number[], number[]] = [[], []];
  let printerIsOn = false;
  let done!: () => void;
  const allPrinted = new Promise<void>((resolve) => (done = resolve));
  const core = await runCore({
    databaseUrl: process.env.DATABASE_URL!,
    events: [
      // A handler gets a group of events and one transaction for all of them.
      onEvent({ event: orderPlaced, subscriber: 'search' }, async (events) => {
        for (const { data } of events) {
          indexed.push(data.order);
          console.log(`search indexes order ${data.order}`);
        }
      }),
      onEvent({ event: orderPlaced, subscriber: 'warehouse' }, async (events) => {
        if (!printerIsOn) throw new Error('the printer is off'); // Retried here; later events wait behind it.
        return () => {
          // Runs after the commit. An effect that must not be lost belongs in the transaction or in a job.
          for (const { data } of events) {
            printed.push(data.order);
            console.log(`the warehouse prints order ${data.order}`);
          }
          if (printed.length === 2) done();
        };
      }),
    ],
  });
  const place = (order: number, isRolledBack = false) =>
    core.prisma.$transaction(async (tx) => {
      // … the statements that store the order …
      await recordEvent(tx, orderPlaced, { order }, { tenant });
      if (isRolledBack) throw new Error('the order was not stored');
    });

  await assert.rejects(place(0, true));
  console.log('rolled back: no event');
  for (const order of [1, 2]) {
    const handled = once(core.signals, 'events_handled'); // By `search`: the warehouse cannot handle anything yet.
    await place(order);
    core.wakeUp.request('events'); // Without it the relay finds the event within a second.
    await handled;
  }
  console.log(`the warehouse has printed ${printed.length || 'nothing'} yet`);

  printerIsOn = true;
  await allPrinted;
  await core.close();

  assert.deepEqual([indexed, printed], [[1, 2], [1, 2]]); // prettier-ignore
}

void main();
