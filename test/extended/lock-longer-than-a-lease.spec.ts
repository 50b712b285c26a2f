import { setTimeout as delay } from 'node:timers/promises';
import { GatedMailServer } from '../support/gated-mail-server';
import { anEmail, TestSystem } from '../support/system';
import { until } from '../support/until';

describe.each(['job', 'mailbox_message', 'processed_message', 'outbox'])(
  'a lock on %s for longer than three leases',
  (table) => {
    let mailServer: GatedMailServer;
    let system: TestSystem;

    beforeAll(async () => {
      mailServer = await GatedMailServer.start();
      system = await TestSystem.start({
        environment: { SMTP_URL: mailServer.url, LEASE_MS: '5000', HEARTBEAT_MS: '1000', SWEEP_MS: '1000' },
      });
    });

    afterAll(async () => {
      await system.stop();
      await mailServer.close();
    });

    it('takes no job from a live worker: each email is sent once', async () => {
      for (let n = 0; n < 10; n += 1) await system.promised('/v1/emails', anEmail(n));
      await mailServer.holds(10);
      const reassuring = setInterval(() => mailServer.reassure(), 4_000);
      const client = await system.pool.connect();
      await client.query('BEGIN');
      await client.query(`LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
      await delay(17_500);
      await client.query('COMMIT');
      client.release();
      await delay(4_000);
      clearInterval(reassuring);
      mailServer.open();
      await until(
        'all are completed',
        () => system.jobsByState(),
        (states) => states['completed'] === 10,
      );
      const { rows } = await system.pool.query('SELECT attempt, dispatch FROM job');
      expect(rows).toEqual(Array(10).fill({ attempt: 1, dispatch: 1 }));
      expect([...mailServer.accepted.values()]).toEqual(Array(10).fill(1));
    });
  },
);
