import { setTimeout as delay } from 'node:timers/promises';
import { Client, type Pool } from 'pg';
import { done } from '@app/messaging';
import { claim, renewLeases } from '@app/ledger';
import { Sweeper } from '../../libs/messaging/src/relay/sweeper';
import { startCore, type Core, type CoreOptions } from '../support/core';
import { gate } from '../support/gate';
import { plainJob } from '../support/plain-job';
import { until } from '../support/until';

const leaseMs = 400;
const sweepMs = 50;

describe('the sweeper', () => {
  let core: Core;
  let sweeper: Sweeper;
  let other: Client;
  const swept: string[] = [];

  async function start(options: CoreOptions = {}): Promise<string> {
    const job = plainJob();
    core = await startCore([[job, () => Promise.resolve(done({ n: 1 }))]], { relay: false, worker: false, ...options });
    core.signals.on('swept', ({ id }) => swept.push(id));
    sweeper = newSweeper();
    other = new Client({ connectionString: core.databaseUrl });
    await other.connect();
    return core.enqueue(job, { n: 1 });
  }

  const newSweeper = () => new Sweeper(core.pool, core.wakeUp, core.signals, { leaseMs, sweepMs });

  beforeEach(() => {
    swept.length = 0;
  });

  afterEach(async () => {
    await other.end();
    await core.close();
  });

  /** A worker claims the job and sends no heartbeat; its lease has expired. */
  async function losesItsLease(id: string): Promise<void> {
    await claim(core.pool, [{ id, dispatch: 1 }], 1);
    await delay(20);
  }

  const renew = (id: string) => renewLeases(core.pool, [{ id, dispatch: 1 }], 60_000);

  async function sweepFor(ms: number): Promise<void> {
    const end = performance.now() + ms;
    while (performance.now() < end) {
      await sweeper.sweep().catch(() => undefined);
      await delay(sweepMs);
    }
  }

  const sweepUntilSwept = (id: string) =>
    until(
      'it is swept',
      async () => {
        await sweeper.sweep();
        await delay(sweepMs);
        return swept;
      },
      (ids) => ids.includes(id),
    );

  it('sweeps a job whose lease expired while PostgreSQL was available', async () => {
    const id = await start();
    await sweepFor(leaseMs + 4 * sweepMs);
    await losesItsLease(id);
    await sweepUntilSwept(id);
  });

  it('gives workers the time of one lease after its own start', async () => {
    const id = await start();
    await losesItsLease(id);
    await sweepFor(leaseMs / 2);
    expect(swept).toEqual([]);
    await renew(id);
    await sweepFor(2 * leaseMs);
    expect(swept).toEqual([]);
  });

  it.each(['ACCESS EXCLUSIVE', 'SHARE'])(
    'does not queue behind a %s lock, and gives workers one lease from the first sweep after the lock',
    async (mode) => {
      const id = await start();
      await sweepFor(leaseMs + 4 * sweepMs);
      await other.query('BEGIN');
      await claim(core.pool, [{ id, dispatch: 1 }], 1);
      await other.query(`LOCK TABLE job IN ${mode} MODE`);
      await expect(sweeper.sweep()).rejects.toMatchObject({ code: '55P03' });
      await sweepFor(2 * leaseMs);
      await other.query('COMMIT');
      await sweepFor(leaseMs / 2);
      expect(swept).toEqual([]);
      await renew(id);
      await sweepFor(2 * leaseMs);
      expect(swept).toEqual([]);
    },
  );

  it.each([
    ['runs', false],
    ['has just started', true],
  ])('that %s sweeps a job one lease after the lock on its row was released, not before', async (_, hasJustStarted) => {
    const id = await start();
    if (!hasJustStarted) await sweepFor(leaseMs + 4 * sweepMs);
    await losesItsLease(id);
    await other.query('BEGIN');
    await other.query('SELECT FROM job WHERE id = $1 FOR UPDATE', [id]);
    await sweepFor(leaseMs / 2);
    const lastSeenLocked = performance.now();
    await sweeper.sweep();
    await other.query('COMMIT');
    await sweepUntilSwept(id);
    expect(performance.now() - lastSeenLocked).toBeGreaterThanOrEqual(leaseMs);
  });

  it('gives workers the time of one lease when the clock of the server jumps', async () => {
    const id = await start({ clock: true });
    await claim(core.pool, [{ id, dispatch: 1 }], 60_000);
    await sweepFor(leaseMs + 4 * sweepMs);
    await core.clock!.advance('2m');
    await sweepFor(leaseMs / 2);
    expect(swept).toEqual([]);
    await sweepUntilSwept(id);
  });
});

describe('the heartbeat', () => {
  let core: Core;
  let door: ReturnType<typeof gate>;

  beforeEach(() => {
    door = gate();
  });

  afterEach(async () => {
    door.open();
    await core.close();
  });

  /** The milliseconds that each lease has left. `clock_timestamp()` is also right inside a long transaction. */
  const leasesLeft = async (database: Pool | Client): Promise<number[]> =>
    (
      await database.query<{ left: number }>(
        `SELECT extract(epoch FROM lease_until - clock_timestamp())::float8 * 1000 AS left
           FROM job WHERE state = 'active'`,
      )
    ).rows.map(({ left }) => left);

  async function startTwo(): Promise<[string, string]> {
    const job = plainJob({ concurrency: 2 });
    core = await startCore([[job, async () => (await door.passed, done({ n: 1 }))]], {
      leaseMs: 1_000,
      heartbeatMs: 50,
      sweepMs: 50,
    });
    const ids: [string, string] = [await core.enqueue(job, { n: 1 }), await core.enqueue(job, { n: 2 })];
    await until(
      'both run',
      () => leasesLeft(core.pool),
      ({ length }) => length === 2,
    );
    return ids;
  }

  async function whileLocked(query: string, values: unknown[], work: (other: Client) => Promise<void>): Promise<void> {
    const other = new Client({ connectionString: core.databaseUrl });
    await other.connect();
    await other.query('BEGIN');
    await other.query(query, values);
    await work(other);
    await other.query('COMMIT');
    await other.end();
  }

  /** A swept job has another dispatch number. */
  const dispatches = async () =>
    (await core.pool.query<{ dispatch: number }>('SELECT dispatch FROM job')).rows.map(({ dispatch }) => dispatch);

  it('renews the other leases while the row of one job is locked', async () => {
    const [locked] = await startTwo();
    await whileLocked('SELECT FROM job WHERE id = $1 FOR UPDATE', [locked], () => delay(2_500));
    await delay(500);
    expect(await dispatches()).toEqual([1, 1]);
  });

  it("renews leases while all connections of the worker's pool are busy", async () => {
    await startTwo();
    let waiting: Promise<unknown>[] = [];
    await whileLocked('LOCK TABLE mailbox_message', [], async (other) => {
      waiting = Array.from({ length: 4 }, () => core.pool.query('SELECT count(*) FROM mailbox_message'));
      await delay(1_500);
      for (const left of await leasesLeft(other)) expect(left).toBeGreaterThan(0);
    });
    await Promise.all(waiting);
    expect(await dispatches()).toEqual([1, 1]);
  });
});
