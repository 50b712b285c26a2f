import type { Browser, Page } from 'playwright-core';
import { findChromium, launchChromium } from '../support/chromium';
import { anEmail, TestSystem } from '../support/system';
import { openPage, violations } from '../support/web-page';
import { until } from '../support/until';

(findChromium() ? describe : describe.skip)('the web client', () => {
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

  it.each([320, 390, 768])('shows all menu entries, the current one and the live sign at %i px', async (width) => {
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
  });

  it('shows the error of a product that was not saved, and no older success message', async () => {
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

  it('opens a row of the mailbox by keyboard and links to its job', async () => {
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

  it('shows a long message completely when its row is opened', async () => {
    const text = `begin ${'middle '.repeat(2_000)}end of the letter`;
    await system.post('/v1/emails', { ...anEmail(), subject: 'A long one', text });
    await page.goto('/app/mailbox');
    await page.getByText('A long one').click();
    await page.getByText('end of the letter').waitFor();
  });

  it('lists on the brokers page the capabilities of each broker and how to connect the missing ones', async () => {
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

  it('shows on the brokers page which queue has no worker', async () => {
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

  it('pauses a queue and resumes it, and shows afterwards where the time of a job went', async () => {
    await page.goto('/app/brokers');
    await page.getByLabel('Queue', { exact: true }).selectOption('email');
    await page.getByRole('button', { name: 'Pause the queue' }).click();
    await page.getByRole('alert').first().waitFor(); // The reason is missing.
    await page.getByLabel('Reason').fill('a test');
    await page.getByRole('button', { name: 'Pause the queue' }).click();
    await page.getByText('email is paused').waitFor();
    expect(await violations(page)).toEqual([]);

    const { id } = (await system.post('/v1/emails', anEmail())).body;
    await page.getByRole('button', { name: 'Resume email' }).click();
    await page.getByText('email is paused').waitFor({ state: 'detached' });
    await page.goto(`/app/jobs/${id}`);
    const trace = page.getByRole('region', { name: 'Where the time went' });
    await trace.getByText('attempt 1', { exact: true }).waitFor();
    const { traceId } = (await system.get(`/v1/jobs/${id}/trace`)).body;
    expect(await trace.textContent()).toContain(traceId);
    expect(await violations(page)).toEqual([]);
  });

  it('makes the form of a kind that it does not know from the schema of its route', async () => {
    const { body: document } = await system.get('/docs-json');
    const schema = {
      type: 'object',
      required: ['number', 'copies', 'format', 'isPaid', 'address'],
      properties: {
        number: { type: 'string', maxLength: 100, description: 'The number of the invoice.' },
        copies: { type: 'integer', minimum: 1, maximum: 9 },
        format: { type: 'string', enum: ['pdf', 'paper'] },
        isPaid: { type: 'boolean' },
        due: { type: 'string', format: 'date' },
        printedAt: { type: 'string', format: 'date-time' },
        copyTo: { type: 'string', format: 'email' },
        address: { type: 'object', required: ['city'], properties: { city: { type: 'string', maxLength: 100 } } },
        lines: { type: 'array', items: {} },
        note: { type: 'string', maxLength: 5_000 },
        options: {},
      },
      example: { number: '4711', copies: 2, format: 'paper', address: { city: 'Ulm' }, note: 'not filled in' },
    };
    document.paths['/v1/invoices'] = {
      post: {
        summary: 'Generate an invoice',
        'x-job-kind': 'invoice.generate',
        requestBody: { content: { 'application/json': { schema } } },
      },
    };
    await page.route('**/docs-json', (route) => route.fulfill({ json: document }));
    const bodies: unknown[] = [];
    await page.route('**/v1/invoices', (route) => {
      bodies.push(route.request().postDataJSON());
      const errors = [{ path: 'address.city', message: 'is not a city' }];
      const json = {
        type: 'urn:problem:invalid_body',
        title: 'Invalid',
        status: 400,
        code: 'invalid_body',
        detail: 'x',
        errors,
      };
      return route.fulfill({ status: 400, json });
    });
    await page.goto('/');
    await page.getByRole('radio', { name: 'invoice.generate' }).check();
    const number = page.getByRole('textbox', { name: 'number' });
    expect(await number.inputValue()).toBe('4711');
    expect(await number.getAttribute('required')).toBe('');
    await page.getByText('The number of the invoice.').waitFor();
    const copies = page.getByRole('spinbutton', { name: 'copies' });
    expect([await copies.inputValue(), await copies.getAttribute('max')]).toEqual(['2', '9']);
    await page.getByRole('combobox', { name: 'isPaid' }).selectOption('yes');
    await page.getByLabel('printedAt').fill('2026-01-31T12:00');
    expect(await page.getByLabel('copyTo').getAttribute('type')).toBe('email');
    expect(await page.getByRole('textbox', { name: 'note' }).inputValue()).toBe('');
    await page.getByRole('textbox', { name: 'lines' }).fill('[1, 2]');
    await page.getByRole('button', { name: 'Generate an invoice' }).click();
    const city = page.getByRole('group', { name: 'address' }).getByRole('textbox', { name: 'city' });
    await page.getByText('is not a city').waitFor();
    expect(await city.getAttribute('aria-invalid')).toBe('true');
    const printedAt = await page.evaluate("new Date('2026-01-31T12:00').toISOString()");
    const address = { city: 'Ulm' };
    expect(bodies).toEqual([
      { number: '4711', copies: 2, format: 'paper', isPaid: true, printedAt, address, lines: [1, 2] },
    ]);
    expect(await violations(page)).toEqual([]);
  });

  it('shows a fault of a field in Chinese on the Chinese page', async () => {
    await chinese();
    await page.getByLabel('收件人').fill('ada');
    await page.locator('[name=subject]').fill('');
    await page.getByRole('button', { name: '发送邮件' }).click();
    await page.getByText('请输入有效的邮箱地址').waitFor();
    await page.getByText('不能为空').waitFor();
  });
});
