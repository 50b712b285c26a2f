import type { Pool } from 'pg';
import { reasonOf, withTimeout, type Worker } from '@app/messaging';
import type { Dependency } from './readiness';

const answerMs = 2_000;

/** PostgreSQL, which has 2 s to answer. */
export const database = (pool: Pool): Dependency => ({
  name: 'database',
  trouble: () =>
    withTimeout(answerMs, pool.query('SELECT 1'), `no answer in ${answerMs / 1_000} s`).then(() => undefined, reasonOf),
});

/** Each queue that a worker consumes, such as `rabbitmq: email`: down while the worker receives nothing from it. */
export const queuesOfWorker = (worker: Worker): Dependency[] =>
  worker.queues.map(({ broker, queue, trouble }) => ({
    name: `${broker}: ${queue}`,
    trouble: () => Promise.resolve(trouble),
  }));
