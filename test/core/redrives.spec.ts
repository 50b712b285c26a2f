import { fixed } from '@app/contracts';
import { done, fail, type Child } from '@app/messaging';
import {
  beginRedrive,
  discardDeadLetter,
  pauseQueue,
  readRedrive,
  redrive,
  resumeQueue,
  setRedriveState,
  stepRedrive,
  type Redrive,
} from '@app/ledger';
import { startCore, tenant, type Core } from '../support/core';
import { plainJob } from '../support/plain-job';
import { until } from '../support/until';

describe('a redrive of many dead letters', () => {
  const job = plainJob({ attempts: 1 });
  let core: Core;
  let isBroken: boolean;

  beforeEach(async () => {
    isBroken = true;
    core = await startCore([[job, () => Promise.resolve(isBroken ? fail('broken') : done({ n: 1 }))]], { clock: true });
  });

  afterEach(() => core.close());

  /** Makes failed jobs, one a second. @returns their ids */
  async function failed(count: number): Promise<string[]> {
    const ids: string[] = [];
    for (let n = 0; n < count; n += 1) {
      const id = await core.enqueue(job, { n });
      await core.ended(id);
      await core.clock!.advance('1s');
      ids.push(id);
    }
    return ids;
  }

  async function begin(perSecond: number): Promise<string> {
    const all = {
      ...{ kind: undefined, broker: undefined, reason: undefined, tenant: undefined },
      ...{ after: undefined, before: undefined },
    };
    const [begun] = await beginRedrive.run(core.pool, { ...all, perSecond, by: 'ada' });
    return begun!.id;
  }

  const read = async (id: string) => (await readRedrive.run(core.pool, { id }))[0]!;

  /** One second passes, and the relay carries out its part. */
  async function second(id: string, isDone: (redrive: Redrive) => boolean): Promise<Redrive> {
    await core.clock!.advance('1s');
    return until('the relay has done the step', () => read(id), isDone);
  }

  const statesOf = async (ids: readonly string[]) => Promise.all(ids.map(async (id) => (await core.ended(id)).state));

  const change = (id: string, to: Redrive['state'], from: Redrive['state'][]) =>
    setRedriveState.run(core.pool, { id, to, from, by: 'ada' });

  it('redrives some per second, the oldest first, until none is left', async () => {
    const ids = await failed(5);
    isBroken = false;
    const id = await begin(2);
    expect(await second(id, ({ redriven }) => redriven > 0)).toMatchObject({ state: 'running', redriven: 2 });
    expect(await statesOf(ids.slice(0, 2))).toEqual(['completed', 'completed']);
    expect(await statesOf(ids.slice(2))).toEqual(['failed', 'failed', 'failed']);
    await second(id, ({ redriven }) => redriven > 2);
    await second(id, ({ redriven }) => redriven > 4);
    expect(await second(id, ({ state }) => state !== 'running')).toMatchObject({
      state: 'finished',
      redriven: 5,
      refused: 0,
      completed: 5,
      failing: 0,
    });
    expect(new Set(await statesOf(ids))).toEqual(new Set(['completed']));
  });

  it('stops by itself when most jobs fail again, and goes on with the others when it is resumed', async () => {
    const ids = await failed(12);
    const id = await begin(10);
    await second(id, ({ failing }) => failing === 10);
    expect(await second(id, ({ state }) => state !== 'running')).toMatchObject({ state: 'stopped', redriven: 10 });
    isBroken = false;
    expect(await change(id, 'running', ['paused', 'stopped'])).toEqual([{ was: 'stopped' }]);
    expect(await second(id, ({ redriven }) => redriven > 10)).toMatchObject({ state: 'running', redriven: 12 });
    await second(id, ({ state }) => state === 'finished');
    // What failed again has a new dead letter, which did not exist when the redrive began.
    expect(await statesOf(ids)).toEqual([...Array<string>(10).fill('failed'), 'completed', 'completed']);
  });

  it('stops before its jobs have used up their attempts, because those that wait for a retry count', async () => {
    const patient = plainJob({ retry: fixed({ attempts: 3, delay: '1h' }) });
    await core.close();
    core = await startCore([[patient, () => Promise.reject(new Error('broken'))]], { clock: true });
    for (let n = 0; n < 12; n += 1) await core.enqueue(patient, { n });
    const states = async () => (await core.pool.query('SELECT state, attempt FROM job')).rows;
    for (const attempt of [1, 2, 3]) {
      await until('all have failed once more', states, (jobs) => jobs.every((one) => one.attempt === attempt));
      await until('none is active', states, (jobs) => jobs.every(({ state }) => state !== 'active'));
      await core.clock!.advance('1h');
    }
    const id = await begin(10);
    await second(id, ({ failing }) => failing === 10);
    expect(await second(id, ({ state }) => state !== 'running')).toMatchObject({
      state: 'stopped',
      redriven: 10,
      open: 10,
    });
  });

  it('leaves a discarded child and its parent alone when another child of the flow is redriven', async () => {
    const parent = plainJob({ attempts: 1 });
    const child = plainJob({ attempts: 1 });
    await core.close();
    core = await startCore(
      [
        [parent, () => Promise.resolve(done({ n: 1 }))],
        [child, () => Promise.resolve(isBroken ? fail('broken') : done({ n: 1 }))],
      ],
      { clock: true },
    );
    const childOf = (n: number) => ({ definition: child, payload: { n } }) as Child;
    const { id } = await core.jobs.enqueueFlow(parent, { n: 0 }, [childOf(1), childOf(2)], { tenant });
    await core.ended(id);
    const ofChildren = () =>
      core.pool.query<{ id: string; job_id: string }>(
        'SELECT id, job_id FROM dead_letter WHERE kind = $1 ORDER BY created_at',
        [child.kind],
      );
    const { rows } = await until('both children have failed', ofChildren, (found) => found.rows.length === 2);
    const [again, discarded] = rows as [(typeof rows)[0], (typeof rows)[0]];
    await discardDeadLetter.run(core.pool, { id: discarded.id, by: 'ada', reason: 'not needed' });
    isBroken = false;
    const selection = { kind: undefined, broker: undefined, before: undefined, by: 'ada' };
    const outcome = async (letter: string) =>
      (await redrive.run(core.pool, { ...selection, ids: [letter] }))[0]?.becomes;
    expect(await outcome(again.id)).toBe('redriven');
    await until(
      'the child is completed',
      () => core.read(again.job_id),
      ({ state }) => state === 'completed',
    );
    expect([(await core.read(discarded.job_id)).state, (await core.read(id)).state]).toEqual(['failed', 'failed']);
    expect(await outcome(id)).toBe('child_cancelled');
  });

  it('does nothing while it is paused', async () => {
    await failed(2);
    const id = await begin(1);
    await change(id, 'paused', ['running']);
    await core.clock!.advance('1s');
    expect(await stepRedrive(core.pool)).toBeUndefined();
    expect(await read(id)).toMatchObject({ state: 'paused', redriven: 0 });
    await change(id, 'running', ['paused', 'stopped']);
    await stepRedrive(core.pool);
    const isDone = ({ redriven }: Redrive) => redriven > 0;
    expect(await until('the step of this second is done', () => read(id), isDone)).toMatchObject({ redriven: 1 });
  });

  it('is not finished while a job is open that it redrove before a pause', async () => {
    const ids = await failed(1);
    isBroken = false;
    await pauseQueue.run(core.pool, { queue: job.queue, reason: 'a test', by: 'ada' });
    const id = await begin(1);
    await second(id, ({ redriven }) => redriven > 0);
    await change(id, 'paused', ['running']);
    await change(id, 'running', ['paused', 'stopped']);
    await core.clock!.advance('1s');
    await stepRedrive(core.pool);
    expect(await read(id)).toMatchObject({ state: 'running', open: 1 });
    await resumeQueue.run(core.pool, { queue: job.queue, by: 'ada' });
    await core.clock!.advance('1s');
    expect(await statesOf(ids)).toEqual(['completed']);
    await second(id, ({ state }) => state === 'finished');
  });

  it('is carried out by one of several relays in each second', async () => {
    await failed(6);
    const id = await begin(1);
    for (let seconds = 1; seconds <= 5; seconds += 1) {
      await core.clock!.advance('1s');
      await Promise.all(Array.from({ length: 8 }, () => stepRedrive(core.pool)));
      const isDone = ({ redriven }: Redrive) => redriven >= seconds;
      expect(await until('a step is done', () => read(id), isDone)).toMatchObject({ redriven: seconds });
    }
    const { rows } = await core.pool.query('SELECT action, actor FROM audit_entry WHERE subject = $1', [id]);
    expect(rows).toEqual([{ action: 'redrive.begin', actor: 'ada' }]);
  });
});
