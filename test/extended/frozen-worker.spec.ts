import { setTimeout as delay } from 'node:timers/promises';
import { GatedMailServer } from '../support/gated-mail-server';
import { anEmail, TestSystem, type Backend } from '../support/system';
import { until } from '../support/until';

const frozenMs = 40_000;
const emails = 60;

describe('a worker that was frozen for longer than its lease', () => {
  it.each(['bullmq-postgres', 'bullmq-redis', 'rabbitmq', 'kafka'] as Backend[])(
    'sends every email and causes no MaxListenersExceededWarning on %s',
    async (backend) => {
      const mailServer = await GatedMailServer.start();
      const system = await TestSystem.start({
        backend,
        environment: { SMTP_URL: mailServer.url, NODE_OPTIONS: '--trace-warnings' },
      });
      try {
        for (let n = 0; n < emails; n += 1) await system.promised('/v1/emails', anEmail(n));
        await mailServer.holds(20);
        const worker = system.processes.get('email-worker')!;
        worker.kill('SIGSTOP');
        await delay(frozenMs);
        for (let n = 0; n < emails; n += 1) await system.promised('/v1/emails', anEmail(n));
        worker.kill('SIGCONT');
        await delay(3_000);
        mailServer.open();
        await until(
          'every email is sent',
          () => system.jobsByState(),
          ({ completed }) => completed === 2 * emails,
          60_000,
        );
        expect(system.allOutput).not.toContain('MaxListenersExceededWarning');
      } finally {
        await system.stop();
        await mailServer.close();
      }
    },
  );
});
