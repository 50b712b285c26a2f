import { done, type JobContext } from '@app/messaging';
import { startCore, type Core } from '../support/core';
import { plainJob } from '../support/plain-job';

describe('drain', () => {
  let core: Core;

  afterEach(() => core.close());

  it('waits for a handler that ends within the grace, and takes nothing new', async () => {
    const job = plainJob({ concurrency: 1 });
    let finish!: () => void;
    const gate = new Promise<void>((resolve) => (finish = resolve));
    core = await startCore([[job, async () => (await gate, done({ n: 1 }))]]);
    const claimed = core.next('claimed');
    const [first, second] = [await core.enqueue(job, { n: 1 }), await core.enqueue(job, { n: 2 })];
    await claimed;

    const drained = core.worker.drain();
    finish();
    await drained;
    expect(await core.read(first)).toMatchObject({ state: 'completed' });
    expect(await core.read(second)).toMatchObject({ state: 'queued', attempt: 0 });
  });

  it('hands back what does not end: queued under the next dispatch, the attempt not counted', async () => {
    const job = plainJob();
    const handle = (_: unknown, { signal }: JobContext) =>
      new Promise<never>((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    core = await startCore([[job, handle]], { graceMs: 5_050 });
    const claimed = core.next('claimed');
    const id = await core.enqueue(job, { n: 1 });
    await claimed;
    await core.worker.drain();

    expect(await core.read(id)).toMatchObject({ state: 'queued', attempt: 0, error: null });
    const { rows } = await core.pool.query('SELECT dispatch FROM job WHERE id = $1', [id]);
    expect(rows).toEqual([{ dispatch: 2 }]);
  });
});
