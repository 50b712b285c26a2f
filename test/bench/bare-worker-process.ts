import { createPostgresBackend, withBackend, Worker, type Job } from 'bullmq';
import { readSettings } from '@app/configuration';
import { brokerSettingNames, connectBullmq } from '@app/messaging';
import { runProcess } from '@app/observability';
import { benchQueue } from './drain/empty-job';
import { FinishLine } from './drain/finish-line';

/** BullMQ by itself, on the connection that the driver has. It takes its first job when the bench says so. */
void runProcess(
  'bare-worker',
  () => readSettings([...brokerSettingNames, 'SHUTDOWN_GRACE_MS']),
  async ({ DATABASE_URL, REDIS_URL, BULLMQ_PREFIX, LEASE_MS }) => {
    const connection = connectBullmq(
      { databaseUrl: DATABASE_URL, redisUrl: REDIS_URL, prefix: BULLMQ_PREFIX, leaseMs: LEASE_MS },
      'bench bare',
      1,
    );
    const WorkerClass =
      connection.backend === 'redis' ? Worker : (withBackend(createPostgresBackend).Worker as typeof Worker);
    const worker = new WorkerClass(benchQueue, process.env['BENCH_REPORT'] === 'each' ? reportEach : countRun, {
      autorun: false,
      connection: connection.forWorkers,
      prefix: BULLMQ_PREFIX,
      concurrency: Number(process.env['BENCH_CONCURRENCY']),
      lockDuration: LEASE_MS,
      stalledInterval: 1_000,
    });
    await worker.waitUntilReady();
    const line = new FinishLine(() => void worker.run());
    worker.on('completed', () => line.passed());
    // BullMQ could not write that the job is completed, and wrote that it has failed: for BullMQ that is its end, too.
    worker.on('failed', () => line.passed());
    return {
      stop: async () => {
        await worker.close();
        await connection.close();
      },
    };

    function countRun(): Promise<void> {
      line.runs += 1;
      return Promise.resolve();
    }

    function reportEach(job: Job): Promise<void> {
      process.send!({ started: job.id });
      return Promise.resolve();
    }
  },
);
