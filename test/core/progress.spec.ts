import { done, fail, retry, type JobContext } from '@app/messaging';
import { readJobUpdates } from '@app/ledger';
import { startCore, type Core, type TestHandler } from '../support/core';
import { gate } from '../support/gate';
import { plainJob } from '../support/plain-job';
import { until } from '../support/until';

describe('progress', () => {
  let core: Core;

  afterEach(() => core.close());

  async function run(handle: TestHandler, ends: string): Promise<string[]> {
    const job = plainJob({ attempts: 1 });
    core = await startCore([[job, handle]]);
    const id = await core.enqueue(job, { n: 1 });
    await until(
      `the job is ${ends}`,
      () => core.read(id),
      ({ state }) => state === ends,
    );
    const [events] = await readJobUpdates(core.pool, [{ jobId: id, after: 0 }]);
    expect(events!.map(({ sequence }) => sequence)).toEqual(events!.map((_, index) => index + 1));
    return events!.map(({ type, data }) =>
      'percent' in data ? `${type} ${data.percent} ${data.note}` : `${type} ${data.state}`,
    );
  }

  const saysTwo = ({ progress }: JobContext): void => {
    progress(10, 'begun');
    progress(90, 'nearly\0 done');
  };

  it.each([
    ['completed', () => done({ n: 1 }), ['state completed', 'result completed']],
    ['failed', () => fail('no use'), ['state failed']],
    ['failed', () => retry('not today'), ['state failed']],
  ] as const)('is written one last time before the job is %s', async (ends, outcome, last) => {
    const events = await run((_, context) => {
      saysTwo(context);
      return Promise.resolve(outcome());
    }, ends);
    expect(events).toEqual(['state queued', 'state active', 'progress 90 nearly done', ...last]);
  });

  it('is written one last time before a transaction completes the job', async () => {
    const events = await run(
      (_, context) =>
        context.transaction(() => {
          saysTwo(context);
          return Promise.resolve(done({ n: 1 }));
        }),
      'completed',
    );
    expect(events.slice(2)).toEqual(['progress 90 nearly done', 'state completed', 'result completed']);
  });

  it('is written at most twice a second, in order, however often the handler reports it', async () => {
    const spoken = gate();
    const startedAt = performance.now();
    const events = await run(async (_, { progress }) => {
      for (let percent = 1; percent <= 80; percent += 1) {
        progress(percent);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      spoken.open();
      return done({ n: 1 });
    }, 'completed');
    await spoken.passed;
    const written = events.filter((event) => event.startsWith('progress')).map((event) => Number(event.split(' ')[1]));
    expect(written.at(-1)).toBe(80);
    expect(written).toEqual([...written].sort((a, b) => a - b));
    expect(written.length).toBeGreaterThan(1);
    // Two for each second, and the last one.
    expect(written.length).toBeLessThanOrEqual(((performance.now() - startedAt) / 1_000) * 2 + 2);
  });
});
