import { defineSchedule } from '@app/contracts';
import { done } from '@app/messaging';
import { Scheduler } from '../../libs/messaging/src/relay/scheduler';
import { startCore, uniqueName, type Core } from '../support/core';
import { plainJob } from '../support/plain-job';

describe('the jobs of a schedule', () => {
  let core: Core;

  afterEach(() => core.close());

  it('have adjacent periods, whatever ticks were missed between them', async () => {
    const job = plainJob();
    core = await startCore([[job, () => Promise.resolve(done({ n: 1 }))]], {
      clock: true,
      relay: false,
      worker: false,
    });
    const periods: [Date, Date][] = [];
    const definition = (cron: string) =>
      defineSchedule({
        name,
        cron,
        zone: 'UTC',
        job,
        payload: (dueAt, previous) => (periods.push([previous, dueAt]), { n: 1 }),
      });
    const name = uniqueName();
    const tick = (cron = '*/4 * * * * *') => new Scheduler(core.pool, core.jobs, [definition(cron)]).tick();

    await tick();
    for (const pause of ['4s', '4s', '25s', '4s', '61m', '4s'] as const) {
      await core.clock!.advance(pause);
      await tick();
    }
    // The schedule gets another cron expression, which has had no tick yet.
    await tick('30 * * * * *');
    await core.clock!.advance('2m');
    await tick('30 * * * * *');

    expect(periods.length).toBeGreaterThanOrEqual(6);
    for (const [index, [from, until]] of periods.entries()) {
      expect(from.getTime()).toBeLessThan(until.getTime());
      if (index > 0) expect(from).toEqual(periods[index - 1]![1]);
    }
  });
});
