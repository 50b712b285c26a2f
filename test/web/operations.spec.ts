import type { Browser, Page, Route } from 'playwright-core';
import { findChromium, launchChromium } from '../support/chromium';
import { GatedMailServer } from '../support/gated-mail-server';
import { apiKeys, keys } from '../support/keys';
import { anEmail, TestSystem } from '../support/system';
import { until } from '../support/until';
import { openPage, violations } from '../support/web-page';

(findChromium() ? describe : describe.skip)('in the web client, an operator', () => {
  let system: TestSystem;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    system = await TestSystem.start({ apps: ['api', 'relay', 'email-worker'] });
    await system.launch('api', 'api-keys', { API_KEYS: apiKeys.join(',') });
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

  const region = (name: string) => page.getByRole('region', { name, exact: true });
  const press = (name: string) => page.getByRole('button', { name, exact: true }).click();

  /** Asserts that the page has no axe-core violation, also in the dark theme, in Chinese and at 320 px, and fits into them. */
  async function isUsable(): Promise<void> {
    expect(await violations(page)).toEqual([]);
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.setViewportSize({ width: 320, height: 740 });
    await page.getByLabel('Language').selectOption('zh');
    expect(await violations(page)).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(320);
  }

  /** Sends emails that the mailbox refuses for good, and waits for their dead letters. */
  async function refusedEmails(count: number): Promise<void> {
    for (let n = 0; n < count; n += 1) {
      const { id } = (await system.post('/v1/emails', { ...anEmail(), to: 'ada@example.invalid' })).body;
      await system.reaches(id, 'failed');
    }
  }

  const redrives = async () => (await system.get('/v1/redrives')).body.items as { state: string; redriven: number }[];

  const openLetters = async () =>
    (await system.get('/v1/dead-letters?redriven=false&discarded=false&limit=100')).body.items.length as number;

  describe('purges a queue', () => {
    afterEach(() => system.post('/v1/queues/email/resume', {}));

    const purge = async (name: string) => {
      await page.getByLabel('Queue to purge').selectOption('email');
      await page.getByLabel('Name of the queue').fill(name);
      await press('Purge the queue');
    };

    it('only with its name, and reads how many jobs were cancelled', async () => {
      await system.post('/v1/queues/email/pause', { reason: 'a purge' });
      const sent = await Promise.all([1, 2, 3].map(() => system.post('/v1/emails', anEmail())));
      const states = async () =>
        Promise.all(sent.map(async ({ body }) => (await system.get(`/v1/jobs/${body.id}`)).body.state as string));
      await page.goto('/app/brokers');
      await region('Purge a queue').getByText('This cannot be undone').waitFor();

      await purge('emails');
      await region('Purge a queue').getByText('expected "email", the name of the queue to be purged').waitFor();
      expect(await page.getByLabel('Name of the queue').getAttribute('aria-invalid')).toBe('true');
      expect(await states()).toEqual(['queued', 'queued', 'queued']);

      await purge('email');
      await page.getByRole('status').getByText('3 jobs cancelled', { exact: true }).waitFor();
      expect(await states()).toEqual(['cancelled', 'cancelled', 'cancelled']);
      expect(await page.getByLabel('Name of the queue').inputValue()).toBe('');
      await isUsable();
    });

    it('with as many requests as that takes, and can stop it', async () => {
      const requests: Route[] = [];
      await page.route('**/v1/queues/email/purge', (route) => void requests.push(route));
      const request = (number: number) =>
        until(
          `request ${number} is sent`,
          () => Promise.resolve(requests[number - 1]!),
          () => requests.length === number,
        );
      await page.goto('/app/brokers');
      await purge('email');
      await (await request(1)).fulfill({ json: { cancelled: 500, hasMore: true } });
      const last = await request(2);
      await page.getByText('500 jobs cancelled so far, and there are more.').waitFor();
      expect(await violations(page)).toEqual([]);
      await last.fulfill({ json: { cancelled: 2, hasMore: false } });
      await page.getByRole('status').getByText('502 jobs cancelled', { exact: true }).waitFor();
      expect(await page.getByRole('button', { name: 'Stop the purge' }).count()).toBe(0);

      await purge('email');
      await (await request(3)).fulfill({ json: { cancelled: 500, hasMore: true } });
      const stopped = await request(4);
      await press('Stop the purge');
      await stopped.fulfill({ json: { cancelled: 400, hasMore: true } });
      await page.getByText('Stopped: 900 jobs cancelled, and there are more').waitFor();
      expect(requests).toHaveLength(4);
    });
  });

  describe('redrives many dead letters', () => {
    const section = () => region('Redrive by filter');
    const newest = () => section().getByRole('listitem').first();

    async function begin(perSecond: number): Promise<void> {
      await page.getByLabel('Kind').fill('email.send');
      await page.getByLabel('Per second', { exact: true }).fill(String(perSecond));
      await press('Begin the redrive');
    }

    it('and reads why the redrive stopped by itself, and cancels it', async () => {
      await refusedEmails(12);
      await page.goto('/app/dead-letters');
      await begin(10);
      await newest().getByText('stopped', { exact: true }).waitFor();
      await newest().getByText('because most of its jobs failed again').waitFor();
      // It redrives ten, or more when it takes longer than a second until ten of them have failed.
      const { redriven } = (await redrives())[0]!;
      expect(redriven).toBeGreaterThanOrEqual(10);
      await newest().getByText(`${redriven} redriven, 0 refused`).waitFor();
      await newest().getByText(`0 completed, ${redriven} failing, 0 not ended`).waitFor();
      expect(await newest().getByRole('button').allTextContents()).toEqual(['Resume', 'Cancel']);
      expect(await violations(page)).toEqual([]);
      await press('Cancel');
      await newest().getByText('cancelled', { exact: true }).waitFor();
      expect(await redrives()).toMatchObject([{ state: 'cancelled', redriven }]);
      expect(await newest().getByRole('button').count()).toBe(0);
    });

    it('after the mail server has recovered: pauses and resumes the redrive, until it has finished', async () => {
      await refusedEmails(2);
      const count = await openLetters();
      const mailServer = await GatedMailServer.start();
      mailServer.open();
      await system.end('email-worker', 'SIGTERM');
      await system.launch('email-worker', 'email-worker', { SMTP_URL: mailServer.url });
      // While the queue is paused, the jobs do not end, and so the redrive does not.
      await system.post('/v1/queues/email/pause', { reason: 'a test of redrives' });
      try {
        await page.goto('/app/dead-letters');
        await page.getByRole('link', { name: 'Redrive by filter' }).click();
        await begin(100);
        await page.getByRole('status').getByText('The redrive has begun').waitFor();
        await newest().getByText(`${count} redriven, 0 refused`).waitFor();
        await newest().getByText(`0 completed, 0 failing, ${count} not ended`).waitFor();
        await newest().getByText('running', { exact: true }).waitFor();
        await newest().getByText('email.send', { exact: true }).waitFor();

        await press('Begin the redrive');
        await page.getByRole('alert').getByText('Such a redrive runs').waitFor();

        await newest().getByRole('button', { name: 'Pause' }).click();
        await newest().getByText('paused', { exact: true }).waitFor();
        expect((await redrives())[0]).toMatchObject({ state: 'paused' });
        await newest().getByRole('button', { name: 'Resume' }).click();
        await newest().getByText('running', { exact: true }).waitFor();
        expect((await redrives())[0]).toMatchObject({ state: 'running' });

        await system.post('/v1/queues/email/resume', {});
        await newest().getByText('finished', { exact: true }).waitFor();
        expect(mailServer.accepted.size).toBe(count);
        expect(await openLetters()).toBe(0);
        await page.getByText('More filters').click();
        await isUsable();
      } finally {
        await mailServer.close();
      }
    });

    it('shows the error of a time that is not complete, and then begins no redrive', async () => {
      const before = (await redrives()).length;
      await page.goto('/app/dead-letters');
      await page.getByText('More filters').click();
      await page.getByLabel('Dead letters after').focus();
      await page.keyboard.type('12');
      await page.getByText('More filters').click();
      await press('Begin the redrive');
      await page.getByRole('alert').getByText('One field needs a change').waitFor();
      expect(await page.evaluate('document.activeElement.name')).toBe('filter.after');
      expect(await redrives()).toHaveLength(before);
    });
  });

  /** Opens a page as the owner of a key. */
  async function logIn(role: 'viewer' | 'operator' | 'admin'): Promise<void> {
    await page.context().close();
    const httpCredentials = { username: 'ada', password: keys[role] };
    page = (await openPage(browser, system.url('api-keys'), { httpCredentials })).page;
  }

  it.each(['operator', 'admin'] as const)('finds both sections with the role %s', async (role) => {
    await logIn(role);
    await page.goto('/app/brokers');
    await region('Purge a queue').waitFor();
    await page.getByRole('button', { name: 'Pause' }).waitFor();
    await page.goto('/app/dead-letters');
    await region('Redrive by filter').waitFor();
  });

  /** Opens a view and waits until it has read its list twice: by then it shows all its sections. */
  async function visit(path: string, list: string): Promise<void> {
    await page.goto(path);
    const read = () => page.waitForResponse((response) => new URL(response.url()).pathname === list);
    await read();
    await read();
  }

  async function findsNoSection(): Promise<void> {
    await visit('/app/brokers', '/v1/queues');
    expect(await region('Purge a queue').count()).toBe(0);
    await visit('/app/dead-letters', '/v1/dead-letters');
    expect(await page.getByText('Redrive by filter').count()).toBe(0);
  }

  it('finds no section with the role viewer', async () => {
    await logIn('viewer');
    await findsNoSection();
    await visit('/app/brokers', '/v1/queues');
    expect(await page.getByRole('button', { name: 'Pause' }).count()).toBe(0);
  });

  it('finds no section whose route the server does not have', async () => {
    const { body: document } = await system.get('/docs-json');
    delete document.paths['/v1/redrives'];
    delete document.paths['/v1/queues/{queue}/purge'];
    await page.route('**/docs-json', (route) => route.fulfill({ json: document }));
    await findsNoSection();
  });
});
