import { keepForever, retentionPage } from '@app/ledger';
import { mailboxRetention } from '@app/mailbox';
import { startCore, tenant, type Core } from '../support/core';

describe('the retention of the development mailbox', () => {
  let core: Core;

  beforeEach(async () => {
    core = await startCore([], { worker: false, relay: false });
  });

  afterEach(() => core.close());

  const caught = (messages: number, daysAgo: number) =>
    core.pool.query(
      `INSERT INTO mailbox_message (tenant, channel, recipient, text, message_id, at)
       SELECT $1, 'sms', '+4915112345678', 'Hi', number, now() - $3 * interval '1 day' FROM generate_series(1, $2) number`,
      [tenant, messages, daysAgo],
    );

  it('deletes old messages, page by page', async () => {
    await caught(retentionPage + 1, 31);
    await caught(3, 29);
    const deleted: number[] = [];
    const ages = { ...keepForever, endedMs: 30 * 24 * 3_600 * 1_000 };
    for await (const count of mailboxRetention(core.pool, ages)) deleted.push(count);
    expect(deleted).toEqual([retentionPage, 1]);
    expect((await core.pool.query('SELECT FROM mailbox_message')).rowCount).toBe(3);
  });
});
