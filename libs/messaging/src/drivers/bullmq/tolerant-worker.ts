import type { Job, JobJson, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { reasonOf } from '../../reason-of';
import type { BullmqConnection } from './bullmq-connection';

/** Replaces the data of a message that are not JSON. */
class UnreadableData {
  constructor(readonly text: string) {}
}

/** By worker: why its last try to take a job failed. */
const troubles = new WeakMap<object, string>();

/** @returns why the worker's last try to take a job failed; undefined when it succeeded */
export function troubleOf(worker: Worker): string | undefined {
  return troubles.get(worker);
}

/**
 * BullMQ takes a message first and parses its data afterwards. If the data are not JSON, such as the NaN that Python
 * writes, the parsing throws. The message would then come back each time its lock expires, and our code would never see
 * it. This class delivers such a message like any other.
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

/** @returns the data that the client library parsed, or the bytes of the message when it could not */
export async function bodyOf({ id, data }: Job, worker: Worker, { forWorkers }: BullmqConnection): Promise<unknown> {
  if (!(data instanceof UnreadableData)) return data;
  // ioredis has decoded the data to text, so the original bytes are read again, where they still exist.
  const key = worker.toKey(id!);
  const stored = forWorkers instanceof Redis ? await forWorkers.hgetBuffer(key, 'data').catch(() => null) : null;
  return stored ?? Buffer.from(data.text);
}
