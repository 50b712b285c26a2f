/**
 * Trap: at shutdown Nest closes the database before the BullMQ job that uses it has ended.
 *
 * `app.close()` calls all `onModuleDestroy` hooks first, and `onApplicationShutdown` last. Many examples end the
 * database pool in `onModuleDestroy`. @nestjs/bullmq 11.0.5 closes its workers, and waits for the running
 * jobs, in `onApplicationShutdown`. So every job that runs at a deployment fails at its next query.
 * The cure: write the order down. The worker is closed in the first phase and waits for its jobs; the pool ends in the
 * last one.
 *
 * Needs: postgres, redis
 * Expect:
 *   wrong: the running job failed: Cannot use a pool after calling end on the pool
 *   right: the running job completed
 */
import 'reflect-metadata';
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { BullModule, Processor, WorkerHost } from '@nestjs/bullmq';
import {
  Inject,
  Injectable,
  Module,
  type OnApplicationShutdown,
  type OnModuleDestroy,
  type Provider,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Queue } from 'bullmq';
import { Pool } from 'pg';

const connection = { url: process.env.REDIS_URL || 'redis://localhost:6379' };
const name = `example-shutdown-${randomUUID()}`;
const newPool = (): Pool => new Pool({ connectionString: process.env.DATABASE_URL });

/** Wrong: in the first phase of the shutdown. */
@Injectable()
class EndsFirst implements OnModuleDestroy {
  readonly pool = newPool();
  onModuleDestroy(): Promise<void> {
    return this.pool.end();
  }
}

/** Right: in the last phase. */
@Injectable()
class EndsLast implements OnApplicationShutdown {
  readonly pool = newPool();
  onApplicationShutdown(): Promise<void> {
    return this.pool.end();
  }
}

let started: () => void;

/** Leaves its worker to @nestjs/bullmq. */
@Processor(name)
class ReportProcessor extends WorkerHost {
  constructor(@Inject('database') private readonly database: { pool: Pool }) {
    super();
  }

  async process(): Promise<void> {
    started();
    await delay(300); // The shutdown begins meanwhile.
    await this.database.pool.query('SELECT 1');
  }
}

/** Right: closes its worker in the first phase. `close` waits for the running job. */
@Processor(name)
class ClosingReportProcessor extends ReportProcessor implements OnModuleDestroy {
  onModuleDestroy(): Promise<void> {
    return this.worker.close();
  }
}

/** @returns how the job ended that ran when the application was closed */
async function closeDuringAJob(queue: Queue, providers: Provider[]): Promise<string> {
  @Module({ imports: [BullModule.forRoot({ connection }), BullModule.registerQueue({ name })], providers })
  class AppModule {}
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  const running = new Promise<void>((resolve) => (started = resolve));
  const job = await queue.add('report', {});
  await running;
  await app.close(); // On SIGTERM, with `enableShutdownHooks()`.
  const { failedReason } = (await queue.getJob(job.id!))!;
  const state = await job.getState();
  return state === 'failed' ? `failed: ${failedReason}` : state;
}

async function main(): Promise<void> {
  setTimeout(() => assert.fail('This should have ended long ago.'), 20_000).unref();

  const queue = new Queue(name, { connection });
  const wrong = await closeDuringAJob(queue, [ReportProcessor, { provide: 'database', useClass: EndsFirst }]);
  console.log(`wrong: the running job ${wrong}`);
  const right = await closeDuringAJob(queue, [ClosingReportProcessor, { provide: 'database', useClass: EndsLast }]);
  console.log(`right: the running job ${right}`);
  await queue.obliterate({ force: true });
  await queue.close();

  assert.equal(wrong, 'failed: Cannot use a pool after calling end on the pool');
  assert.equal(right, 'completed');
}

void main();
