import { eventDefinitions, jobDefinitions } from '@app/features/catalogue';
import { sendEmail } from '@app/features/email';
import { anEmail, TestSystem } from '../../support/system';
import type { BenchDriver } from '../drain/drivers';
import { endingWith } from '../measuring/ending';
import { productTimes } from '../measuring/product-times';
import { onStage } from '../measuring/stage';
import { MailCatcher } from './mail-catcher';
import { sampleOnIdle } from './samples';

/** From the moment a caller has the 202 until the mail server has the email, in milliseconds. */
export async function systemLatency(driver: BenchDriver, emails: number): Promise<number[]> {
  const catcher = new MailCatcher();
  const smtpUrl = await catcher.listen();
  const names = [...jobDefinitions.map(({ queue }) => queue), ...eventDefinitions.map(({ kind }) => kind)];
  return endingWith(
    () => catcher.close(),
    () =>
      onStage(driver, names, async ({ environment, settings }) => {
        const system = await TestSystem.start({
          databaseUrl: settings.DATABASE_URL,
          environment: {
            ...productTimes,
            ...environment,
            SMTP_URL: smtpUrl,
            JOB_BROKERS: `${sendEmail.queue}=${driver.broker}`,
          },
        });
        return endingWith(
          () => system.stop(),
          async () => {
            let sent = 0;
            const latencies = await sampleOnIdle(emails, async (n) => {
              const email = anEmail(n);
              const { status } = await system.post('/v1/emails', email);
              const promisedAt = performance.now();
              if (status !== 202) throw new Error(`Expected 202, got ${status}.`);
              sent += 1;
              return (await catcher.arrivalOf(email.to)) - promisedAt;
            });
            if (catcher.count !== sent) throw new Error(`${sent} emails were sent, ${catcher.count} arrived.`);
            return latencies;
          },
        );
      }),
  );
}
