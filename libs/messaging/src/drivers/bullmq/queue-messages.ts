import type { JobType, Queue } from 'bullmq';
import { Redis } from 'ioredis';
import type { Pool } from 'pg';
import type { BullmqConnection } from './bullmq-connection';

/** A message that BullMQ holds, without any content from its sender or its worker. */
export interface QueueMessage {
  readonly id: string;
  /** The name that the sender gave; undefined when it is longer than any of our kinds. */
  readonly name: string | undefined;
  /** The size of the message's data as the backend stores it. PostgreSQL may store it compressed. */
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly addedAt: number;
  readonly startedAt: number | undefined;
  readonly finishedAt: number | undefined;
  readonly delayMs: number;
  readonly priority: number;
  readonly attempts: number;
  readonly hasFailed: boolean;
}

const longestName = 100;

/**
 * Reads BullMQ's queues. BullMQ's own `getJobs` reads whole messages. Those of other services may be as large as the
 * backend accepts, and not every operator may see them. This reads a few numbers of each message, from both backends.
 */
export class BullmqMessages {
  constructor(private readonly connection: BullmqConnection) {}

  /**
   * @param start index of the first message in each state
   * @param end index of the last message, inclusive
   * @returns the messages of each state from `start` to `end`, one state after another
   */
  async list(queue: Queue, states: JobType[], start: number, end: number): Promise<QueueMessage[]> {
    this.connection.assertUp();
    return this.read(queue, await queue.getRanges(states, start, end));
  }

  /** @returns the message with this id; undefined when there is none */
  async find(queue: Queue, id: string): Promise<QueueMessage | undefined> {
    this.connection.assertUp();
    return (await this.read(queue, [id]))[0];
  }

  private read(queue: Queue, ids: readonly string[]): Promise<QueueMessage[]> {
    if (ids.length === 0) return Promise.resolve([]);
    const { forQueues } = this.connection;
    return forQueues instanceof Redis
      ? readFromRedis(forQueues, queue, ids)
      : readFromPostgres(forQueues as unknown as Pool, queue, ids);
  }
}

/** BullMQ's field names; `atm` is the number of attempts made. */
const numbers = {
  addedAt: 'timestamp',
  startedAt: 'processedOn',
  finishedAt: 'finishedOn',
  delayMs: 'delay',
  priority: 'priority',
  attempts: 'atm',
};

async function readFromRedis(redis: Redis, queue: Queue, ids: readonly string[]): Promise<QueueMessage[]> {
  const look = redis.pipeline();
  for (const id of ids) {
    const key = queue.toKey(id);
    look.hstrlen(key, 'data').hstrlen(key, 'name').hexists(key, 'failedReason');
    look.hmget(key, ...Object.values(numbers));
  }
  const sizes = await answersOf(look);
  const names = redis.pipeline();
  ids.forEach((id, index) => {
    const isShort = (sizes[index * 4 + 1] as number) <= longestName;
    names.hget(queue.toKey(id), isShort ? 'name' : 'no such field');
  });
  const shortNames = await answersOf(names);
  return ids.flatMap((id, index) => {
    const [bytes, , failed, found] = sizes.slice(index * 4, index * 4 + 4) as [number, number, number, unknown[]];
    const values = Object.fromEntries(Object.keys(numbers).map((field, n) => [field, found[n]]));
    if (numberOf(values['addedAt']) === undefined) return []; // Deleted since its id was read.
    return [messageOf({ id, name: shortNames[index], bytes, hasFailed: failed === 1, ...values })];
  });
}

async function answersOf(pipeline: ReturnType<Redis['pipeline']>): Promise<unknown[]> {
  return ((await pipeline.exec()) ?? []).map(([error, answer]) => {
    if (error) throw error;
    return answer;
  });
}

async function readFromPostgres(pool: Pool, { name: queue }: Queue, ids: readonly string[]): Promise<QueueMessage[]> {
  // The schema `bullmq` is the search path of this pool.
  const { rows } = await pool.query<Readonly<Record<string, unknown>>>(
    `SELECT id, CASE WHEN length(name) <= ${longestName} THEN name END AS name, pg_column_size(data) AS bytes,
            added_at_ms AS "addedAt", processed_at_ms AS "startedAt", finished_at_ms AS "finishedAt",
            delay_ms AS "delayMs", priority, attempts_made AS attempts, failed_reason IS NOT NULL AS "hasFailed"
       FROM job WHERE queue = $1 AND id = ANY ($2::text[])
      ORDER BY array_position($2::text[], id)`,
    [queue, ids],
  );
  return rows.map(messageOf);
}

/** @param found the fields of a message by their names here, as a backend returns them */
function messageOf(found: Readonly<Record<string, unknown>>): QueueMessage {
  return {
    id: found['id'] as string,
    name: (found['name'] as string | null) ?? undefined,
    bytes: numberOf(found['bytes']) ?? 0,
    addedAt: numberOf(found['addedAt']) ?? 0,
    startedAt: numberOf(found['startedAt']),
    finishedAt: numberOf(found['finishedAt']),
    delayMs: numberOf(found['delayMs']) ?? 0,
    priority: numberOf(found['priority']) ?? 0,
    attempts: numberOf(found['attempts']) ?? 0,
    hasFailed: found['hasFailed'] === true,
  };
}

/** Both backends return some numbers as text. */
function numberOf(value: unknown): number | undefined {
  const number = value === null || value === undefined ? NaN : Number(value);
  return Number.isFinite(number) ? number : undefined;
}
