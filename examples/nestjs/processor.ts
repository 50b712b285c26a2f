/**
 * `@Processor` of @nestjs/bullmq: a worker as a Nest provider, and a shutdown that fails the running job.
 *
 * @nestjs/bullmq closes the Worker in `onApplicationShutdown`, and `worker.close()` waits for the running job. But Nest
 * has called every `onModuleDestroy` before, and there most teams close the database. So the email is sent, its row is
 * not written, and the job fails; without `attempts` in its options it has one attempt, and no worker runs it again.
 * The right way: close the Worker in `beforeApplicationShutdown`. A crash still ends a job in the middle; for that a job
 * needs `attempts` and an idempotent effect.
 *
 * Needs: redis
 * Expect:
 *   1. As most teams write it
 *   email to ada@example.com sent
 *   failed after 1 attempt: the database is closed
 *   2. The worker closes first
 *   email to ada@example.com sent
 *   row written
 *   completed after 1 attempt
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { BullModule, Processor, WorkerHost } from '@nestjs/bullmq';
import { Injectable, Module, type BeforeApplicationShutdown, type Provider } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Queue, type Job } from 'bullmq';

const connection = { url: process.env.REDIS_URL || 'redis://localhost:6379' };
const name = `example-processor-${randomUUID()}`;
const queue = new Queue(name, { connection });

/** Stands for a slow mail server: it answers while the application shuts down. */
@Injectable()
class MailServer implements BeforeApplicationShutdown {
  readonly events = new EventEmitter();

  async send(): Promise<void> {
    this.events.emit('request');
    await once(this.events, 'answer');
  }

  beforeApplicationShutdown(): void {
    this.events.emit('answer');
  }
}

@Injectable()
class Database {
  isOpen = true;

  /** Wrong: at this time the Worker still runs a job. */
  onModuleDestroy(): void {
    this.isOpen = false;
  }
}

@Processor(name)
class EmailProcessor extends WorkerHost {
  constructor(
    private readonly mailServer: MailServer,
    private readonly database: Database,
  ) {
    super();
  }

  async process(job: Job<{ to: string }>): Promise<void> {
    await this.mailServer.send();
    console.log(`email to ${job.data.to} sent`);
    if (!this.database.isOpen) throw new Error('the database is closed');
    console.log('row written');
  }
}

/** Right: Nest has called every `beforeApplicationShutdown` before the first `onApplicationShutdown`. */
@Processor(name)
class DrainedEmailProcessor extends EmailProcessor implements BeforeApplicationShutdown {
  async beforeApplicationShutdown(): Promise<void> {
    await this.worker.close(); // No new jobs; waits for the running one.
  }
}

@Injectable()
class DatabaseClosedLast {
  isOpen = true;

  onApplicationShutdown(): void {
    this.isOpen = false;
  }
}

@Module({ imports: [BullModule.forRoot({ connection }), BullModule.registerQueue({ name })] })
class AppModule {}

/** Starts an application and shuts it down while it runs a job, as a deployment does. */
async function deploy(...providers: Provider[]): Promise<Job> {
  const module = { module: AppModule, providers: [MailServer, ...providers] };
  const app = await NestFactory.createApplicationContext(module, { logger: false });
  const running = once(app.get(MailServer).events, 'request');
  const { id } = await queue.add('email', { to: 'ada@example.com' });
  await running;
  await app.close(); // With `enableShutdownHooks()`, SIGTERM does the same.
  return (await queue.getJob(id!))!;
}

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  console.log('1. As most teams write it');
  const usual = await deploy(EmailProcessor, Database);
  const states = [await usual.getState()];
  console.log(`${states[0]} after ${usual.attemptsMade} attempt: ${usual.failedReason}`);
  console.log('2. The worker closes first');
  const drained = await deploy(DrainedEmailProcessor, { provide: Database, useClass: DatabaseClosedLast });
  states.push(await drained.getState());
  console.log(`${states[1]} after ${drained.attemptsMade} attempt`);

  await queue.obliterate({ force: true });
  await queue.close();
  assert.deepEqual(states, ['failed', 'completed']);
  assert.deepEqual([usual.attemptsMade, usual.failedReason], [1, 'the database is closed']);
}

void main();
