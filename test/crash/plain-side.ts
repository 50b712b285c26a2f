import { once } from 'node:events';
import type { ChildProcess } from 'node:child_process';
import type { Backend, TestSystem } from '../support/system';
import { until } from '../support/until';
import { connectPlainClient } from './plain-clients/connect-plain-client';
import type { PlainClient } from './plain-clients/plain-client';
import type { Seen } from './seen';

const orders = [1, 2, 3, 4, 5];
const deadlineMs = 60_000;

/** The plain client, with one process killed and started again. Each cell has its own queue and rows. */
export class PlainSide {
  private readonly queues = new Set<string>();

  private constructor(
    private readonly system: TestSystem,
    private readonly backend: Backend,
    private readonly client: PlainClient,
  ) {}

  static async start(system: TestSystem, backend: Backend): Promise<PlainSide> {
    await system.pool.query(`
      CREATE TABLE plain_order (cell text, n int, sent boolean NOT NULL DEFAULT false);
      CREATE TABLE plain_effect (cell text, n int, key text);
      CREATE TABLE plain_processed (cell text, n int, PRIMARY KEY (cell, n))`);
    return new PlainSide(system, backend, await connectPlainClient(backend, system.brokerSettings));
  }

  async stop(): Promise<void> {
    for (const queue of this.queues) await this.client.remove(queue);
    await this.client.close();
  }

  /** The process dies at the third order. It accepts the orders before, and its replacement accepts those after. */
  async killApi(cell: string): Promise<Seen> {
    const doomed = await this.launchDoomed('api', cell, { DIE_AT: '3' });
    for (const n of [1, 2]) await answered(doomed.child, n);
    doomed.child.send(3);
    await doomed.killed;
    const api = await this.launch('api', cell);
    for (const n of [4, 5]) await answered(api, n);
    await this.end('api', cell);
    return this.work(cell, 'key of the message');
  }

  async killRelay(cell: string): Promise<Seen> {
    await this.addOrders(cell);
    const doomed = await this.launchDoomed('relay', cell, { DIE_AT: '3' });
    doomed.child.send('publish');
    await doomed.killed;
    await answered(await this.launch('relay', cell), 'publish');
    await this.end('relay', cell);
    return this.work(cell, 'key of the message');
  }

  async killWorker(cell: string, way: string): Promise<Seen> {
    await this.addOrders(cell);
    const { killed } = await this.launchDoomed('worker', cell, { WAY: way, DIE_AT: '2' });
    await this.addMessages(cell);
    await killed;
    return this.work(cell, way);
  }

  /** Sends SIGTERM when the worker has acknowledged everything and done nothing yet. */
  async stopWorker(cell: string, way: string): Promise<Seen> {
    await this.addOrders(cell);
    await this.launch('worker', cell, { WAY: way });
    await this.addMessages(cell);
    await this.quiet(cell);
    await this.end('worker', cell);
    return this.work(cell, way);
  }

  /** Undisturbed workers handle the remaining messages. */
  private async work(cell: string, way: string): Promise<Seen> {
    do {
      const worker = await this.launch('worker', cell, { WAY: way });
      await this.quiet(cell);
      const ended = once(worker, 'exit');
      this.system.processes.delete(nameOf('worker', cell));
      worker.send('finish');
      await ended;
      // Not every broker reports messages in flight. Without a worker, all remaining messages are in the queue.
    } while ((await this.client.outstanding(cell)) > 0);
    const { rows } = await this.system.pool.query<{ orders: number; copies: number; keys: number }>(
      `SELECT count(DISTINCT n)::int AS orders, count(*)::int AS copies, count(DISTINCT key)::int AS keys
         FROM plain_effect WHERE cell = $1`,
      [cell],
    );
    const { orders: done, copies, keys } = rows[0]!;
    return { jobs: orders.length, lost: orders.length - done, copies, keys };
  }

  private async addOrders(cell: string): Promise<void> {
    await this.system.pool.query('INSERT INTO plain_order (cell, n) SELECT $1, unnest($2::int[])', [cell, orders]);
  }

  private addMessages(cell: string): Promise<void> {
    return this.client.publish(cell, orders);
  }

  /** Waits until no message can be delivered to a worker any more. */
  private async quiet(cell: string): Promise<void> {
    await until(
      `the queue ${cell} is empty`,
      () => this.client.outstanding(cell),
      (count) => count === 0,
      deadlineMs,
    );
  }

  private launch(role: Role, cell: string, environment: NodeJS.ProcessEnv = {}): Promise<ChildProcess> {
    return this.system.launch(scriptOf(role), nameOf(role, cell), this.environmentOf(cell, environment));
  }

  private launchDoomed(role: Role, cell: string, environment: NodeJS.ProcessEnv) {
    return this.system.launchDoomed(scriptOf(role), nameOf(role, cell), this.environmentOf(cell, environment));
  }

  private environmentOf(cell: string, more: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
    this.queues.add(cell);
    const settings = JSON.stringify(this.system.brokerSettings);
    return { BACKEND: this.backend, BROKER_SETTINGS: settings, CELL: cell, ...more };
  }

  private async end(role: Role, cell: string): Promise<void> {
    await this.system.end(nameOf(role, cell), 'SIGTERM');
  }
}

type Role = 'api' | 'relay' | 'worker';

const scriptOf = (role: Role): string => `test/crash/plain-${role}-process`;
const nameOf = (role: Role, cell: string): string => `plain ${role} of ${cell}`;

async function answered(child: ChildProcess, message: number | string): Promise<void> {
  const answer = once(child, 'message');
  child.send(message);
  await answer;
}
