import { done } from '@app/messaging';
import { recordEvent } from '@app/ledger';
import { startCore, tenant, type Core } from '../support/core';
import { hearing, plainEvent } from '../support/plain-event';
import { plainJob } from '../support/plain-job';

describe('a job that enqueueWithin adds to a transaction', () => {
  let core: Core;
  const job = plainJob();
  const ordered = plainJob({ orderBy: () => 'one' });
  const handle = () => Promise.resolve(done({ n: 1 }));

  afterEach(() => core.close());

  const jobs = async (): Promise<number> => (await core.pool.query('SELECT FROM job')).rowCount!;

  it('exists after the commit, and runs', async () => {
    core = await startCore([
      [job, handle],
      [ordered, handle],
    ]);
    for (const definition of [job, ordered]) {
      const settled = core.next('settled');
      const accepted = await core.prisma.$transaction(async (tx) => {
        const made = await core.jobs.enqueueWithin(tx, definition, { n: 1 }, { tenant });
        expect((await core.pool.query('SELECT FROM job WHERE id = $1', [made.id])).rowCount).toBe(0);
        return made;
      });
      core.jobs.committed([accepted], tenant);
      await settled;
      expect(await core.read(accepted.id)).toMatchObject({
        state: 'completed',
        createdAt: accepted.createdAt,
        runAt: accepted.runAt,
        version: accepted.version,
      });
    }
  });

  it('does not exist after a rollback', async () => {
    core = await startCore([[job, handle]], { relay: false });
    const undone = core.prisma.$transaction(async (tx) => {
      await core.jobs.enqueueWithin(tx, job, { n: 1 }, { tenant });
      throw new Error('after the enqueue');
    });
    await expect(undone).rejects.toThrow('after the enqueue');
    expect(await jobs()).toBe(0);
    expect((await core.pool.query('SELECT FROM outbox')).rowCount).toBe(0);
  });

  it('is made once for an event that is delivered twice and whose handler fails once', async () => {
    const event = plainEvent(['ada']);
    let committed = 0;
    let runs = 0;
    const handler = hearing(event, 'ada', async (events, tx) => {
      for (const each of events) await core.jobs.enqueueWithin(tx, job, { n: each.data.n }, { tenant });
      if ((runs += 1) === 1) throw new Error('after the enqueue');
      return () => void (committed += 1);
    });
    core = await startCore([[job, handle]], { events: [handler] });
    const publish = core.driver.publishEvents.bind(core.driver);
    let published: Parameters<typeof publish>[0] = [];
    core.driver.publishEvents = (messages) => publish((published = messages));
    const settled = core.next('settled');
    await core.prisma.$transaction((tx) => recordEvent(tx, event, { n: 7, key: 'one' }, { tenant }));
    core.wakeUp.request('events');
    await settled;
    const handledAgain = core.next('events_handled', (_kind, _subscriber, fresh) => fresh === 0);
    await publish(published);
    await handledAgain;
    expect([await jobs(), committed]).toEqual([1, 1]);
  });
});
