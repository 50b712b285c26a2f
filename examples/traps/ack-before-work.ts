/**
 * Trap: a message is acknowledged before its work is done, and the process dies in between.
 *
 * An acknowledgement tells RabbitMQ to delete the message. From then on the work exists only in the memory of the
 * process. `noAck: true` does the same for every message. The worker here is a process of its own and is killed with
 * SIGKILL while it works, as an out-of-memory kill does.
 * The cure: acknowledge when the work is done. RabbitMQ then redelivers the message of a dead process to the next one.
 * The price: a process that dies between the work and the acknowledgement repeats the work (job-id.ts).
 *
 * Needs: rabbitmq
 * Expect:
 *   wrong: acked, then killed: 0 messages in the queue, 0 emails
 *   right: killed, then acked by the next worker: 0 messages in the queue, 1 email
 *   right: the second delivery is marked as redelivered
 */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'amqplib';

const url = process.env.RABBITMQ_URL || 'amqp://localhost:5672';

/** A worker process. Reports 'works' when it has begun its work, and works until it is killed. */
async function workUntilKilled(queue: string, ackFirst: boolean): Promise<void> {
  const connection = await connect(url);
  const channel = await connection.createChannel();
  await channel.prefetch(1);
  await channel.consume(queue, (message) => {
    if (!message) return;
    if (ackFirst) channel.ack(message);
    // The ack is written when this channel answers the next question; the email would take a while.
    void channel.checkQueue(queue).then(() => process.send!('works'));
  });
}

async function killWhileItWorks(queue: string, ackFirst: boolean): Promise<void> {
  const worker = fork(__filename, [queue, String(ackFirst)]);
  await once(worker, 'message');
  worker.kill('SIGKILL');
  await once(worker, 'exit');
}

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  const connection = await connect(url);
  const channel = await connection.createConfirmChannel();
  const queue = `example-ack-before-work-${randomUUID()}`;
  await channel.assertQueue(queue, { durable: true });
  const publish = async (): Promise<void> => {
    channel.sendToQueue(queue, Buffer.from('email to ada'), { persistent: true });
    await channel.waitForConfirms();
  };

  // Wrong: the ack first.
  await publish();
  await killWhileItWorks(queue, true);
  const lost = await channel.checkQueue(queue);
  console.log(`wrong: acked, then killed: ${lost.messageCount} messages in the queue, 0 emails`);

  // Right: the work first. The message of the killed worker goes to the next one.
  await publish();
  await killWhileItWorks(queue, false);
  let emails = 0;
  const redelivered = await new Promise<boolean>((resolve) => {
    void channel.consume(queue, (message) => {
      if (!message) return;
      emails += 1; // The work…
      channel.ack(message); // …and then the ack.
      resolve(message.fields.redelivered);
    });
  });
  const left = await channel.checkQueue(queue);
  console.log(
    `right: killed, then acked by the next worker: ${left.messageCount} messages in the queue, ${emails} email`,
  );
  console.log(`right: the second delivery is ${redelivered ? '' : 'not '}marked as redelivered`);
  await channel.deleteQueue(queue);
  await connection.close();

  assert.equal(lost.messageCount, 0);
  assert.deepEqual([left.messageCount, emails, redelivered], [0, 1, true]);
}

const [queueToWorkOn, ackFirst] = process.argv.slice(2);
if (queueToWorkOn === undefined) void main();
else void workUntilKilled(queueToWorkOn, ackFirst === 'true');
