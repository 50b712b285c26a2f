import '../../libs/configuration/src/check-node.cjs';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { rabbitmq } from '../../scripts/brokers/rabbitmq';
import { redis } from '../../scripts/brokers/redis';
import { setUpBrokers } from '../support/brokers';
import { findChromium, launchChromium } from '../support/chromium';
import { projectFolder } from '../support/postgres';
import { tearDown } from '../support/run-folder';
import { setUp, setUpPostgres } from '../support/set-up';
import { anEmail, TestSystem } from '../support/system';
import { until } from '../support/until';

const folder = join(projectFolder, 'docs/pictures');
const languages = [
  { language: 'en', locale: 'en-GB', submit: 'Send email' },
  { language: 'zh', locale: 'zh-CN', submit: '发送邮件' },
];
const apps = ['api', 'relay', 'email-worker', 'sms-worker'];

/**
 * `npm run pictures`: takes the pictures of the READMEs from a system on Redis and RabbitMQ, which must be available,
 * with a browser.
 */
async function main(): Promise<void> {
  let system: TestSystem | undefined;
  let browser: Browser | undefined;
  try {
    if (!findChromium()) throw new Error('Expected a Chromium, got none: install it, or set CHROMIUM_PATH.');
    process.env['REQUIRE_BROKERS'] = 'all';
    await setUp(setUpPostgres, () => setUpBrokers([redis, rabbitmq]));
    system = await TestSystem.start({
      apps,
      environment: {
        REDIS_URL: process.env['TEST_REDIS_URL'],
        RABBITMQ_URL: process.env['TEST_RABBITMQ_URL'],
        JOB_BROKERS: 'email=bullmq,sms=rabbitmq',
      },
    });
    await sendJobs(system);
    browser = await launchChromium();
    mkdirSync(folder, { recursive: true });
    for (const { language, locale, submit } of languages) {
      const context = await browser.newContext({
        baseURL: system.url(),
        locale,
        viewport: { width: 1200, height: 860 },
        deviceScaleFactor: 1.5,
      });
      const page = await context.newPage();
      await page.goto('/');
      await page.getByRole('button', { name: submit }).click();
      await page.locator('[data-state=completed] [data-station=effect].is-done').waitFor();
      await picture(page, `web-client-${language}`);
      if (language === 'en') await pictureOfBoard(page);
      await context.close();
    }
  } finally {
    await browser?.close();
    await system?.stop();
    await tearDown();
  }
}

/** One job in each state that a reader looks for. */
async function sendJobs(system: TestSystem): Promise<void> {
  for (let n = 1; n <= 6; n += 1) await system.post('/v1/emails', anEmail(n));
  await system.post('/v1/sms', { to: '+8613800138000', text: 'Your code is 4711' });
  await system.post('/v1/emails', { ...anEmail(7), options: { delayMs: 3_600_000 } });
  await until(
    'all but the delayed job have ended',
    () => system.jobsByState(),
    ({ completed }) => completed === 7,
  );
}

async function pictureOfBoard(page: Page): Promise<void> {
  await page.goto('/admin/queues/queue/email.send');
  await page.getByText('jobData').first().waitFor();
  await picture(page, 'bull-board');
}

async function picture(page: Page, name: string): Promise<void> {
  const path = join(folder, `${name}.png`);
  await page.waitForLoadState('networkidle');
  await page.screenshot({ path, animations: 'disabled' });
  process.stdout.write(`${path}\n`);
}

void main();
