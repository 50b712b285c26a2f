import { exponential } from '@app/contracts';
import { done } from '@app/messaging';
import { startCore, type Core } from '../support/core';
import { plainJob } from '../support/plain-job';

describe('with a test clock', () => {
  let core: Core;

  afterEach(() => core.close());

  it('a retry after an hour and a job for next week run when the clock is advanced', async () => {
    const job = plainJob({ retry: exponential({ attempts: 2, base: '1h', max: '1h', jitter: 'none' }) });
    let runs = 0;
    const handle = () => (runs++ === 0 ? Promise.reject(new Error('away')) : Promise.resolve(done({ n: runs })));
    core = await startCore([[job, handle]], { clock: true });

    const failed = core.next('settled');
    const id = await core.enqueue(job, { n: 1 });
    await failed;
    expect(await core.read(id)).toMatchObject({ state: 'retrying', attempt: 1 });
    const later = await core.enqueue(job, { n: 2 }, { delayMs: 7 * 24 * 60 * 60 * 1_000 });

    const retried = core.next('settled');
    await core.clock!.advance('61m');
    expect((await retried)[0].id).toBe(id);
    expect(await core.read(id)).toMatchObject({ state: 'completed', attempt: 2 });
    expect(await core.read(later)).toMatchObject({ state: 'scheduled' });

    const ran = core.next('settled');
    await core.clock!.advance('7d');
    expect((await ran)[0].id).toBe(later);
  });
});
