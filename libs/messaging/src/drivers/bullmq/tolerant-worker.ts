import type { Job, JobJson, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { reasonOf } from '../../reason-of';
import type { BullmqConnection } from './bullmq-connection';

/** In place of the data of a message that are not JSON. */
class UnreadableData {
  constructor(private readonly text: string) {}

  /** ioredis has made text of them. @returns what the message holds */
  async bytes({ forWorkers }: BullmqConnection, key: string): Promise<Buffer> {
    const stored = forWorkers instanceof Redis ? await forWorkers.hgetBuffer(key, 'data').catch(() => null) : null;
    return stored ?? Buffer.from(this.text);
  }
}

/** By worker: why its last try to take a job has failed. */
const troubles = new WeakMap<object, string>();

export function troubleOf(worker: Worker): string | undefined {
  return troubles.get(worker);
}

/**
 * BullMQ parses the data of a message when it has taken the message, and fails there when they are not JSON, such as the
 * NaN that Python writes. The message would come back whenever its lock runs out, without a word to the code above BullMQ.
 * Here such a message is handed on like any other.
 */
export function tolerant(workerClass: typeof Worker): typeof Worker {
  return class TolerantWorker extends workerClass {
    protected override createJob(stored: JobJson, id: string): Job {
      try {
        return super.createJob(stored, id);
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
        const job = super.createJob({ ...stored, data: '{}' }, id);
        job.data = new UnreadableData(stored.data);
        return job;
      }
    }

    protected override async moveToActive(token: string, name?: string): Promise<Job> {
      try {
        const job = await super.moveToActive(token, name);
        troubles.delete(this);
        return job;
      } catch (error) {
        troubles.set(this, reasonOf(error));
        throw error;
      }
    }
  };
}

/** @returns the data of a message as its client library has parsed them, or their bytes where it could not */
export function bodyOf({ id, data }: Job, worker: Worker, connection: BullmqConnection): unknown {
  return data instanceof UnreadableData ? data.bytes(connection, worker.toKey(id!)) : data;
}
