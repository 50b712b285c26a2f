import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { freePort } from '../../scripts/postgres/free-port';
import { findChromium, launchChromium } from '../support/chromium';
import { startMonitoring, type Monitoring } from '../support/prometheus';
import { onEachBackend, TestSystem } from '../support/system';
import { until } from '../support/until';
import { openPage, type WatchedPage } from '../support/web-page';

/** Where to put a picture of each step; undefined: nowhere. */
const pictures = process.env['PICTURES'];

/** What a person on call does, in the browser, from the alert to the mended job. */
onEachBackend('a job that cannot succeed', (backend) => {
  let system: TestSystem;
  let monitoring: Monitoring;
  let browser: Browser;
  let watched: WatchedPage;
  const apps = ['api', 'relay', 'email-worker'];

  beforeAll(async () => {
    if (!findChromium()) throw new Error('Expected a Chromium, got none: install it, or set CHROMIUM_PATH.');
    system = await TestSystem.start({ backend, apps: [] });
    const ports = await Promise.all(apps.map(() => freePort()));
    await Promise.all(apps.map((app, at) => system.launch(app, app, { HEALTH_PORT: String(ports[at]) })));
    monitoring = await startMonitoring(
      ports.map((port) => `127.0.0.1:${port}`),
      // The alert compares with the figure of ten minutes ago.
      { 'offset 10m': 'offset 15s' },
    );
    browser = await launchChromium();
    watched = await openPage(browser, system.url());
  }, 120_000);

  afterAll(async () => {
    await browser.close();
    await monitoring.stop();
    await system.stop();
  });

  async function picture(step: string): Promise<void> {
    if (pictures === undefined) return;
    mkdirSync(pictures, { recursive: true });
    await watched.page.screenshot({
      path: join(pictures, `${backend}-${step}.png`),
      fullPage: true,
      animations: 'disabled',
    });
  }

  const traceIdIn = async () =>
    (await watched.page
      .getByText(/^Trace/)
      .last()
      .locator('code')
      .textContent())!;

  it('is found by its alert, mended and followed to its end in one trace and one audit', async () => {
    const { page } = watched;
    await until(
      'Prometheus has looked at the ledger for long enough',
      () => monitoring.query('max(ledger_up offset 15s)'),
      ([up]) => up === 1,
      60_000,
    );

    await page.goto('/app/failure-lab');
    const lab = page.getByRole('region', { name: 'The mail server refuses an email' });
    await lab.getByRole('button', { name: 'Send to an unknown mailbox' }).click();
    await lab.getByRole('link', { name: 'See the dead letters' }).waitFor({ timeout: 60_000 });
    await picture('1-failed');
    await until(
      'the mail of the alert',
      () => Promise.resolve(monitoring.mails),
      (mails) => mails.some((subject) => /FIRING.*DeadLettersRise/.test(subject)),
      60_000,
    );

    await lab.getByRole('link', { name: 'See the dead letters' }).click();
    const row = page.getByRole('listitem').filter({ hasText: 'email.send' });
    await row.getByRole('link', { name: 'email.send' }).click();
    await page.getByRole('heading', { name: 'email.send', level: 1 }).waitFor();
    const failed = await traceIdIn();
    await page.goBack();
    await row.getByRole('link', { name: 'Open it' }).click();
    await page.getByText('nobody@example.invalid').first().waitFor();
    await picture('2-dead-letter');

    const payload = page.getByLabel('Payload');
    await payload.fill((await payload.inputValue()).replace('nobody@example.invalid', 'ada@example.com'));
    await page.getByRole('button', { name: 'Redrive with this payload' }).click();
    const mended = page.getByRole('link', { name: 'The new job' });
    await mended.waitFor();
    const audit = page.getByRole('region', { name: 'What operators did' });
    await audit.getByText('dead_letter.redrive_edited').waitFor();
    await picture('3-redriven');

    await mended.click();
    await page.locator('[data-state=completed]').first().waitFor({ timeout: 60_000 });
    expect(await traceIdIn()).toBe(failed);
    await picture('4-completed');

    await page.goto('/app/mailbox');
    await page.getByText('ada@example.com').first().waitFor();
    // The alert looks for a rise, so it ends by itself; what a person has mended is no longer counted.
    await until(
      'no dead letter is open',
      () => monitoring.query('sum(ledger_dead_letters) or vector(0)'),
      ([open]) => open === 0,
      60_000,
    );
    expect(watched.faults).toEqual([]);
  }, 300_000);
});
