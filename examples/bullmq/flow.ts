/**
 * A flow: a parent job waits for its child jobs and reads their results.
 *
 * The whole tree is added at once or not at all. Children may be on other queues and may have children. When a child
 * fails for good, the parent keeps waiting for it, unless the child's options say otherwise: `failParentOnFailure`,
 * `continueParentOnFailure`, `ignoreDependencyOnFailure` or `removeDependencyOnFailure`.
 *
 * Expect:
 *   added: the parent is waiting-children
 *   page 2 drawn
 *   page 1 drawn
 *   the parent runs last, with: drawing of 1, drawing of 2
 *   the parent is completed
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { FlowProducer, Queue, QueueEvents, Worker } from 'bullmq';

const connection = { url: process.env.REDIS_URL || 'redis://localhost:6379' };
const name = `example-flow-${randomUUID()}`;

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  const queue = new Queue(name, { connection });
  const events = new QueueEvents(name, { connection, lastEventId: '0' }); // '0': from the first event of the queue.
  await events.waitUntilReady();

  const flows = new FlowProducer({ connection });
  const { job: parent } = await flows.add({
    name: 'report',
    queueName: name,
    children: [
      { name: 'page', queueName: name, data: { page: 1, takesMs: 150 }, opts: { failParentOnFailure: true } },
      { name: 'page', queueName: name, data: { page: 2, takesMs: 10 }, opts: { failParentOnFailure: true } },
    ],
  });
  const before = await parent.getState();
  console.log(`added: the parent is ${before}`);

  const worker = new Worker<{ page: number; takesMs: number }, string>(
    name,
    async (job) => {
      if (job.name === 'page') {
        await delay(job.data.takesMs);
        console.log(`page ${job.data.page} drawn`);
        return `drawing of ${job.data.page}`;
      }
      const pages = Object.values(await job.getChildrenValues<string>()).sort();
      console.log(`the parent runs last, with: ${pages.join(', ')}`);
      return pages.join(', ');
    },
    { connection, concurrency: 2 },
  );
  const report = (await parent.waitUntilFinished(events)) as string;
  console.log(`the parent is ${await parent.getState()}`);

  await worker.close();
  await Promise.all([events.close(), flows.close()]);
  await queue.obliterate({ force: true });
  await queue.close();

  assert.equal(before, 'waiting-children');
  assert.equal(report, 'drawing of 1, drawing of 2');
}

void main();
