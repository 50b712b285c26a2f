import { randomUUID } from 'node:crypto';
import { anEmail, brokerOf, TestSystem, type Backend } from '../support/system';
import { until } from '../support/until';
import { GatedMailServer } from '../support/gated-mail-server';
import { openQueues, type OpenQueues } from './open-queues';
import type { Seen } from './seen';

const jobs = 5;
const ownDatabaseWorker = 'test/crash/own-database-worker-process';
const deadlineMs = 60_000;

/**
 * This system, with one of its processes killed. A second worker of the same kind is running, unless a cell says
 * otherwise.
 */
export class ProtectedSide {
  private constructor(
    readonly system: TestSystem,
    private readonly queues: OpenQueues,
  ) {}

  static async start(backend: Backend): Promise<ProtectedSide> {
    // The reconciler is off, because it would hide an outbox that loses rows.
    const system = await TestSystem.start({ backend, environment: { RECONCILE_MS: '600000' } });
    await system.pool.query('CREATE TABLE own_effect (job_id uuid NOT NULL)');
    await system.launch(ownDatabaseWorker);
    return new ProtectedSide(system, await openQueues(system.brokerSettings, brokerOf(backend)));
  }

  async stop(): Promise<void> {
    await this.queues.close();
    await this.system.stop();
  }

  /**
   * Several callers at the same time. Those without an answer send the request again with their key when the API is
   * back.
   */
  async killApi(failPoint: string): Promise<Seen> {
    const { killed } = await this.system.launchDoomed('api', 'api-doomed', { FAIL_POINT: failPoint });
    const keys = Array.from({ length: jobs }, () => randomUUID());
    const ask = (key: string) => this.system.promised('/v1/emails', anEmail(), key, 'api-doomed');
    const first = await Promise.allSettled(keys.map(ask));
    const killedAt = await killed;

    const { rows } = await this.system.pool.query<{ id: string }>(
      'SELECT job_id AS id FROM idempotency_key WHERE key = ANY($1)',
      [keys],
    );
    const committed = rows.map(({ id }) => id);
    await this.completed(committed);
    const recoveryMs = performance.now() - killedAt;

    await this.system.launch('api', 'api-doomed');
    const promised = new Set(committed);
    for (const [index, answer] of first.entries()) {
      promised.add(answer.status === 'fulfilled' ? answer.value : await ask(keys[index]!));
    }
    await this.system.end('api-doomed', 'SIGKILL');
    // Each caller wanted one job, however often it sent the request.
    return { ...(await this.emails(promised)), jobs: keys.length, recoveryMs };
  }

  async killRelay(failPoint: string): Promise<Seen> {
    await this.system.end('relay', 'SIGTERM');
    const { killed } = await this.system.launchDoomed('relay', 'relay', { FAIL_POINT: failPoint });
    const promised = await this.postEmails(jobs);
    await killed;
    await this.system.launch('relay');
    const readyAt = performance.now();
    await this.completed(promised);
    await this.outboxEmpty();
    return { ...(await this.emails(new Set(promised))), recoveryMs: performance.now() - readyAt };
  }

  /** @param together how many jobs run at the same time, so that the killed worker may have several of them */
  async killEmailWorker(failPoint: string, together = jobs): Promise<Seen> {
    const { promised, recoveryMs } = await this.killOneOfTwo('email-worker', { FAIL_POINT: failPoint }, () =>
      this.postEmails(together),
    );
    return { ...(await this.emails(promised)), recoveryMs };
  }

  async killOwnDatabaseWorker(environment: NodeJS.ProcessEnv): Promise<Seen> {
    const { promised, recoveryMs } = await this.killOneOfTwo(ownDatabaseWorker, environment, () => this.postSms(jobs));
    return { ...(await this.ownEffects(promised)), recoveryMs };
  }

  /** No other worker shares the jobs with the killed one. */
  async killOnlyOwnDatabaseWorker(failPoint: string, count: number): Promise<Seen> {
    await this.system.end(ownDatabaseWorker, 'SIGTERM');
    const { killed } = await this.system.launchDoomed(ownDatabaseWorker, ownDatabaseWorker, { FAIL_POINT: failPoint });
    const promised = await this.postSms(count);
    await killed;
    await this.system.launch(ownDatabaseWorker);
    const readyAt = performance.now();
    await this.completed(promised);
    const recoveryMs = performance.now() - readyAt;
    return { ...(await this.ownEffects(new Set(promised))), recoveryMs };
  }

  private async ownEffects(promised: ReadonlySet<string>): Promise<Seen> {
    await this.quiet('sms', [...promised]);
    const { rows } = await this.system.pool.query<{ id: string; copies: number }>(
      'SELECT job_id AS id, count(*)::int AS copies FROM own_effect WHERE job_id = ANY($1) GROUP BY job_id',
      [[...promised]],
    );
    return seenOf(promised, new Map(rows.map(({ id, copies }) => [id, copies])));
  }

  /** Sends SIGTERM while the mail server makes every handler wait, and kills the worker during the drain. */
  async killDraining(): Promise<Seen> {
    const mailServer = await GatedMailServer.start();
    try {
      await this.system.end('email-worker', 'SIGTERM');
      return await this.killDrainingWith(mailServer);
    } finally {
      await mailServer.close();
      if (this.system.processes.has('email-worker')) await this.system.end('email-worker', 'SIGKILL');
      await this.system.launch('email-worker');
    }
  }

  private async killDrainingWith(mailServer: GatedMailServer): Promise<Seen> {
    const environment = { SMTP_URL: mailServer.url };
    const { child, killed } = await this.system.launchDoomed('email-worker', 'email-worker-doomed', {
      ...environment,
      FAIL_POINT: 'draining:1',
    });
    const promised = await this.postEmails(jobs);
    await mailServer.holds(jobs);
    await this.system.launch('email-worker', 'email-worker', environment);
    child.kill('SIGTERM');
    const killedAt = await killed;
    await mailServer.holds(0);
    mailServer.open();
    await this.completed(promised);
    const recoveryMs = performance.now() - killedAt;
    await this.quiet('email', promised);
    return { ...seenOf(new Set(promised), byJob(mailServer.accepted)), recoveryMs };
  }

  /** Enqueues jobs until the doomed one of two workers has taken the job at which it dies. */
  private async killOneOfTwo(
    app: string,
    environment: NodeJS.ProcessEnv,
    post: () => Promise<string[]>,
  ): Promise<{ promised: Set<string>; recoveryMs: number }> {
    const { killed } = await this.system.launchDoomed(app, `${app}-doomed`, environment);
    let killedAt: number | undefined;
    const dead = killed.then((at) => (killedAt = at));
    const promised: string[] = [];
    while (killedAt === undefined) {
      promised.push(...(await post()));
      const ended = until(
        'the jobs are completed, or their worker is dead',
        () => this.open(promised),
        (open) => open === 0 || killedAt !== undefined,
        deadlineMs,
      );
      // A worker that ends in another way fails the test.
      await Promise.race([ended, dead]);
    }
    await this.completed(promised);
    const recoveryMs = performance.now() - killedAt;
    while (promised.length < jobs) promised.push(...(await post()));
    return { promised: new Set(promised), recoveryMs };
  }

  private postEmails(count: number): Promise<string[]> {
    return this.post('/v1/emails', anEmail(), count);
  }

  private postSms(count: number): Promise<string[]> {
    return this.post('/v1/sms', { to: '+4915112345678', text: 'Hi' }, count);
  }

  private post(path: string, body: object, count: number): Promise<string[]> {
    return Promise.all(Array.from({ length: count }, () => this.system.promised(path, body)));
  }

  private async emails(promised: ReadonlySet<string>): Promise<Seen> {
    await this.quiet('email', [...promised]);
    const effects = byJob(await this.system.effects());
    // Ids rise with time: older ids belong to the cells before.
    const [first] = [...promised].sort();
    return seenOf(promised, new Map([...effects].filter(([id]) => id >= first!)));
  }

  private async completed(ids: readonly string[]): Promise<void> {
    await until(
      'all jobs are completed',
      () => this.open(ids),
      (open) => open === 0,
      deadlineMs,
    );
  }

  private async open(ids: readonly string[]): Promise<number> {
    const { rows } = await this.system.pool.query<{ completed: number }>(
      `SELECT count(*)::int AS completed FROM job WHERE state = 'completed' AND id = ANY($1)`,
      [ids],
    );
    return ids.length - rows[0]!.completed;
  }

  private async outboxEmpty(): Promise<void> {
    await until(
      'the outbox is empty',
      async () => (await this.system.pool.query('SELECT FROM outbox')).rowCount,
      (rows) => rows === 0,
      deadlineMs,
    );
  }

  /** Waits until nothing is left that could still have an effect: no job, no outbox row, no message. */
  private async quiet(queue: 'email' | 'sms', promised: readonly string[]): Promise<void> {
    await this.completed(promised);
    await this.outboxEmpty();
    await until(
      'the broker holds nothing',
      // The depth is not always available while the broker redelivers the messages of a dead worker.
      () => this.queues.depth(queue).catch((error: unknown) => String(error)),
      (depth) => depth === 0,
      deadlineMs,
    );
  }
}

function byJob(effects: ReadonlyMap<string, number>): Map<string, number> {
  return new Map([...effects].map(([messageId, copies]) => [/^<(.+)@/.exec(messageId)![1]!, copies]));
}

function seenOf(promised: ReadonlySet<string>, effects: ReadonlyMap<string, number>): Seen {
  return {
    jobs: promised.size,
    lost: [...promised].filter((id) => !effects.has(id)).length,
    copies: [...effects.values()].reduce((sum, copies) => sum + copies, 0),
    keys: effects.size,
  };
}
