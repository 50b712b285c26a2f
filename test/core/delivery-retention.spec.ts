import { randomUUID } from 'node:crypto';
import { deliverWebhook, deliveryRetention } from '@app/features/webhook';
import { keepForever } from '@app/ledger';
import { done } from '@app/messaging';
import { startCore, tenant, type Core } from '../support/core';

const dayMs = 24 * 3_600 * 1_000;
const ages = { ...keepForever, endedMs: 30 * dayMs, failedMs: 90 * dayMs };

describe('the retention of deliveries', () => {
  let core: Core;
  const endpointId = randomUUID();

  beforeEach(async () => {
    core = await startCore([[deliverWebhook, () => Promise.resolve(done({ status: 200 }))]], {
      worker: false,
      relay: false,
    });
    await core.pool.query(
      `INSERT INTO webhook_endpoint (id, tenant, url, secret) VALUES ($1, $2, 'https://example.com', 'x')`,
      [endpointId, tenant],
    );
  });

  afterEach(() => core.close());

  /** A delivery with one attempt, whose job was accepted so many days ago, and was deleted or was not. */
  async function delivered(daysAgo: number, deleted: boolean): Promise<string> {
    const { rows } = await core.pool.query<{ id: string }>(`SELECT uuid_v7(now() - $1 * interval '1 day') AS id`, [
      daysAgo,
    ]);
    const { id } = rows[0]!;
    await core.pool.query(
      `INSERT INTO webhook_delivery (job_id, tenant, endpoint_id, webhook_id, type) VALUES ($1, $2, $3, 'w', 'job.finished')`,
      [id, tenant, endpointId],
    );
    await core.pool.query(`INSERT INTO webhook_attempt (tenant, job_id, attempt, ms) VALUES ($1, $2, 1, 5)`, [
      tenant,
      id,
    ]);
    if (!deleted) {
      await core.pool.query(
        `INSERT INTO job (id, tenant, kind, version, queue, broker, state, priority, max_attempts, run_at, payload)
         VALUES ($1, $2, $3, 1, 'webhook', 'memory', 'failed', 2, 1, now(), '{}')`,
        [id, tenant, deliverWebhook.kind],
      );
    }
    return id;
  }

  it('deletes the log of a delivery whose job was deleted, and keeps the others', async () => {
    await delivered(40, true);
    const [kept, young] = [await delivered(40, false), await delivered(29, true)];
    const deleted: number[] = [];
    for await (const count of deliveryRetention(core.pool, ages)) deleted.push(count);
    expect(deleted).toEqual([1, 0]);
    for (const table of ['webhook_delivery', 'webhook_attempt']) {
      const { rows } = await core.pool.query<{ job_id: string }>(`SELECT job_id FROM ${table} ORDER BY job_id`);
      expect(rows.map(({ job_id: id }) => id)).toEqual([kept, young].sort());
    }
  });

  it('deletes nothing when jobs are kept for ever', async () => {
    await delivered(4_000, true);
    for await (const count of deliveryRetention(core.pool, keepForever)) expect(count).toBe(0);
    expect((await core.pool.query('SELECT FROM webhook_delivery')).rowCount).toBe(1);
  });
});
