import type { Browser, Page } from 'playwright-core';
import { findChromium, launchChromium } from '../support/chromium';
import { anEmail, TestSystem } from '../support/system';
import { openPage } from '../support/web-page';
import { until } from '../support/until';

(findChromium() ? describe : describe.skip)('what a person sees', () => {
  let system: TestSystem;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    system = await TestSystem.start({ apps: ['api', 'relay', 'email-worker'] });
    browser = await launchChromium();
  });

  afterAll(async () => {
    await browser.close();
    await system.stop();
  });

  beforeEach(async () => {
    page = (await openPage(browser, system.url())).page;
  });

  afterEach(() => page.context().close());

  const chinese = async () => {
    await page.goto('/');
    await page.getByLabel('Language').selectOption('zh');
  };

  it.each([320, 390, 768])(
    'at %i px every entry of the menu, the current one and the live sign are in sight',
    async (width) => {
      await page.setViewportSize({ width, height: 844 });
      await page.goto('/app/webhooks');
      await page.getByText('Live', { exact: true }).waitFor();
      const entries = page.getByRole('navigation').getByRole('link');
      expect(await entries.count()).toBe(10);
      for (const entry of await entries.all()) {
        const box = (await entry.boundingBox())!;
        expect(box.x).toBeGreaterThanOrEqual(0);
        expect(box.x + box.width).toBeLessThanOrEqual(width);
      }
      expect(await entries.and(page.locator('[aria-current=page]')).textContent()).toBe('Webhooks');
      await entries.first().focus();
      await page.keyboard.press('Tab');
      expect(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')).toBe('solid');
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
    },
  );

  it('a product that is not saved has an error and no older success beside it', async () => {
    await page.goto('/app/products');
    await page.getByRole('button', { name: 'Save product' }).click();
    await page.getByText('Saved as version 1').waitFor();
    await page.getByLabel('Name').fill('');
    expect(await page.getByText('Saved as').count()).toBe(0);
    await page.getByLabel('Name').fill('Blue mug');
    await page.getByRole('button', { name: 'Save product' }).click();
    await page.getByText('Saved as version 2').waitFor();
    await system.pool.query('ALTER TABLE product RENAME TO product_away');
    try {
      await page.getByRole('button', { name: 'Save product' }).click();
      await page.getByRole('alert').first().waitFor();
      expect(await page.getByText('Saved as').count()).toBe(0);
    } finally {
      await system.pool.query('ALTER TABLE product_away RENAME TO product');
    }
  });

  it('a row of the mailbox opens by the keyboard and links to its job', async () => {
    const { id } = (await system.post('/v1/emails', { ...anEmail(), subject: 'Look inside', text: 'The text' })).body;
    const [item] = await until(
      'it is caught',
      async () => (await system.get('/dev/mailbox')).body.items as { subject: string; jobId: string }[],
      (items) => items[0]?.subject === 'Look inside',
    );
    expect(item!.jobId).toBe(id);
    await page.goto('/app/mailbox');
    const row = page.getByRole('listitem').filter({ hasText: 'Look inside' });
    await row.locator('.icon-open').waitFor();
    await row.locator('summary').focus();
    await page.keyboard.press('Enter');
    await row.getByText('The text').waitFor();
    await row.getByRole('link', { name: 'Open the job' }).click();
    await page.waitForURL(`**/app/jobs/${id}`);
    await page.getByText(id, { exact: true }).waitFor();
  });

  it('a long letter is shown whole when its row is opened', async () => {
    const text = `begin ${'middle '.repeat(2_000)}end of the letter`;
    await system.post('/v1/emails', { ...anEmail(), subject: 'A long one', text });
    await page.goto('/app/mailbox');
    await page.getByText('A long one').click();
    await page.getByText('end of the letter').waitFor();
  });

  it('the brokers page says what each broker can do and how the missing ones are connected', async () => {
    const { items } = (await system.get('/v1/brokers')).body;
    expect(items).toMatchObject([
      { name: 'bullmq', state: 'up', setting: 'REDIS_URL', capabilities: { priority: 'native' } },
      { name: 'rabbitmq', state: 'not_configured', setting: 'RABBITMQ_URL', capabilities: { priority: 'none' } },
      { name: 'kafka', state: 'not_configured', setting: 'KAFKA_BROKERS', capabilities: { replay: 'native' } },
    ]);
    expect(items[1].reason).toContain('Set RABBITMQ_URL, such as amqp://');
    await page.goto('/app/brokers');
    for (const name of ['bullmq', 'rabbitmq', 'kafka']) {
      await page.getByRole('columnheader', { name: new RegExp(name) }).waitFor();
    }
    expect(await page.getByRole('row').nth(1).getByRole('cell').allTextContents()).toEqual([
      'the broker',
      'not supported',
      'not supported',
    ]);
    await page.getByText('RABBITMQ_URL').waitFor();
  });

  it('the brokers page says which queue no worker reads', async () => {
    await page.goto('/app/brokers');
    const queue = (name: string) =>
      page.locator('.details > div').filter({ has: page.getByText(name, { exact: true }) });
    await queue('sms').getByText('no worker').waitFor();
    await queue('email').waitFor();
    await until(
      'the queue of the worker is up',
      () => queue('email').textContent(),
      (text) => text?.includes('no worker') === false,
    );
  });

  it('what the server says of a field is a Chinese sentence on the Chinese page', async () => {
    await chinese();
    await page.getByLabel('收件人').fill('ada');
    await page.locator('[name=subject]').fill('');
    await page.getByRole('button', { name: '发送邮件' }).click();
    await page.getByText('请输入有效的邮箱地址').waitFor();
    await page.getByText('不能为空').waitFor();
  });
});
