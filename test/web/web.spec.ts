import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { seedOrders } from '../../scripts/seed/orders';
import { findChromium, launchChromium } from '../support/chromium';
import { apiKeys, keys } from '../support/keys';
import { projectFolder } from '../support/postgres';
import { TestSystem } from '../support/system';
import { openPage, violations, type WatchedPage } from '../support/web-page';
import { WebhookReceiver } from '../support/webhook-receiver';

let system: TestSystem;
let files: string;

beforeAll(async () => {
  files = mkdtempSync(join(tmpdir(), 'web-'));
  system = await TestSystem.start({
    apps: [
      'api',
      'relay',
      'email-worker',
      'sms-worker',
      'report-worker',
      'image-worker',
      'sync-worker',
      'webhook-worker',
    ],
    environment: { STORAGE_DIR: files, WEBHOOK_ALLOW_HOSTS: '127.0.0.1' },
  });
  await seedOrders(system.pool, 100);
  await system.launch('api', 'api-keys', { API_KEYS: apiKeys.join(',') });
});

afterAll(async () => {
  await system.stop();
  rmSync(files, { recursive: true, force: true });
});

describe('the API', () => {
  it('serves the page of the web client with no-cache, and its assets as immutable', async () => {
    const page = await system.get('/');
    expect(page.status).toBe(200);
    expect(page.headers.get('cache-control')).toBe('no-cache');
    const [script] = /\/assets\/[\w-]+\.js/.exec(page.body)!;
    const asset = await system.get(script);
    expect(asset.status).toBe(200);
    expect(asset.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
  });

  it('serves the web client at its own addresses, and 404 for unknown routes', async () => {
    expect((await system.get('/app/jobs/1')).body).toContain('<div id="root">');
    for (const path of ['/v1', '/v1/nothing', '/apps', '/assets/nothing.js', '/dev/nothing']) {
      expect([path, (await system.get(path)).status]).toEqual([path, 404]);
    }
  });

  it('has an OpenAPI document that matches the types of the web client', () => {
    const cli = join(dirname(require.resolve('openapi-typescript/package.json')), 'bin/cli.js');
    const { stdout } = spawnSync(process.execPath, [cli, `${system.url()}/docs-json`], { encoding: 'utf8' });
    const kept = readFileSync(join(projectFolder, 'apps/web/src/api/schema.d.ts'), 'utf8');
    // If this fails, run `npm start`, and `npm run web:types` at the same time.
    expect(stdout.trim() === kept.trim()).toBe(true);
  });
});

const views = [
  '/',
  '/app/jobs',
  '/app/failure-lab',
  '/app/mailbox',
  '/app/products',
  '/app/brokers',
  '/app/dead-letters',
  '/app/webhooks',
  '/app/nowhere',
];

(findChromium() ? describe : describe.skip)('the web client in a browser', () => {
  let browser: Browser;
  let watched: WatchedPage;
  let page: Page;

  beforeAll(async () => {
    browser = await launchChromium();
    watched = await openPage(browser, system.url());
    page = watched.page;
  });

  afterAll(async () => {
    await browser.close();
  });

  afterEach(() => {
    expect(watched.faults.splice(0)).toEqual([]);
  });

  const card = (title: string) => page.getByRole('region', { name: title });

  it('sends an email and shows its path until it has arrived', async () => {
    await page.goto('/');
    await page.getByLabel('Subject').fill('Seen in the mailbox');
    await page.getByRole('button', { name: 'Send email' }).click();
    const way = card('Path of the job');
    await way.getByText(/Accepted in \d+ ms/).waitFor();
    await way.locator('[data-state=completed] [data-station=effect].is-done').waitFor();
    await card('Newest jobs').getByText('completed').waitFor();
    await page.getByRole('link', { name: 'Open the job' }).click();
    await page.getByRole('heading', { name: 'email.send', level: 1 }).waitFor();
    await page.getByText('"messageId"').waitFor();
    await page.getByRole('link', { name: 'Mailbox' }).click();
    await page.getByText('Seen in the mailbox').waitFor();
  });

  /** Sends a job with the form of this kind, and returns the part of the page with its result. */
  async function sent(kind: string, button: string, fill: () => Promise<unknown> = () => Promise.resolve()) {
    await page.goto('/');
    await page.getByRole('radio', { name: kind }).check();
    await fill();
    await page.getByRole('button', { name: button }).click();
    await card('Path of the job').locator('[data-state=completed] [data-station=effect].is-done').waitFor();
    return card('Result');
  }

  it('sends an SMS', async () => {
    await (await sent('SMS', 'Send SMS')).getByText('"providerId"').waitFor();
  });

  it.each(['csv', 'xlsx', 'pdf'])('makes a report as %s and downloads it', async (format) => {
    const result = await sent('Report', 'Make report', () => page.getByLabel('Format').selectOption(format));
    await result.getByText('100 rows').waitFor();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      result.getByRole('link', { name: 'Download' }).click(),
    ]);
    expect(download.suggestedFilename()).toMatch(new RegExp(`\\.${format}$`));
  });

  it('resizes a picture and shows it', async () => {
    const buffer = await sharp({ create: { width: 900, height: 300, channels: 3, background: '#2a9d8f' } })
      .png()
      .toBuffer();
    const result = await sent('Image', 'Process image', () =>
      page.getByLabel('Image file').setInputFiles({ name: 'wide.png', mimeType: 'image/png', buffer }),
    );
    await result.locator('img').nth(2).scrollIntoViewIfNeeded();
    expect(
      await page.evaluate(
        'Promise.all([...document.querySelectorAll(".pictures img")].map((image) => image.decode().then(() => image.naturalWidth)))',
      ),
    ).toEqual([200, 800, 900]);
  });

  it('saves a product, finds it, and finds it again in the rebuilt model', async () => {
    await page.goto('/app/products');
    await page.getByLabel('Name').fill('Yellow teapot');
    await page.getByRole('button', { name: 'Save product' }).click();
    await page.getByText('Saved as version 1').waitFor();
    await page.getByRole('searchbox').fill('teapots');
    await card('Search').getByText('Yellow teapot').waitFor();
    await (await sent('Sync', 'Start sync')).getByText('"read": 1').waitFor();
  });

  it('adds, tests and removes a webhook, and sends a message again', async () => {
    const receiver = await WebhookReceiver.start();
    try {
      await page.goto('/app/webhooks');
      await page.getByRole('textbox', { name: 'Address' }).fill('http://169.254.169.254/');
      await page.getByRole('button', { name: 'Add address' }).click();
      await page.getByText('are all on the public Internet').waitFor();
      await card('Try it here').getByText('/dev/webhook-receiver').first().waitFor();
      await page.getByRole('textbox', { name: 'Address' }).fill(receiver.url);
      await page.getByRole('button', { name: 'Add address' }).click();
      const secret = (await page.getByText('whsec_').textContent())!;
      await page.getByRole('button', { name: 'Test' }).click();
      await page.getByRole('link', { name: 'webhook.test' }).waitFor();
      await page.getByText('204').waitFor();
      expect(receiver.isSignedWith(secret)).toBe(true);
      await page.getByRole('button', { name: 'Send again' }).click();
      await page.getByText('204').nth(1).waitFor();
      expect(new Set(receiver.ids).size).toBe(1);
      await page.getByRole('button', { name: 'Remove' }).click();
      await page.getByText('No address yet').waitFor();
    } finally {
      await receiver.stop();
    }
  });

  it('shows the fault of a field beside the field', async () => {
    await page.goto('/');
    await page.getByLabel('To', { exact: true }).fill('ada');
    await page.getByLabel('Subject').fill('');
    await page.getByText('Options').click();
    await page.getByLabel('Broker').selectOption('kafka');
    await page.getByRole('button', { name: 'Send email' }).click();
    await page.getByRole('alert').getByText('2 fields need a change').waitFor();
    const to = page.getByLabel('To', { exact: true });
    expect(await to.getAttribute('aria-invalid')).toBe('true');
    expect(await page.evaluate('document.activeElement.name')).toBe('to');
    const described = await to.getAttribute('aria-describedby');
    expect(await page.locator(`[id="${described}"]`).textContent()).toBe(
      'expected an email address such as ada@example.com',
    );
    await to.fill('ada@example.com');
    await page.getByLabel('Subject').fill('Hello');
    await page.getByRole('button', { name: 'Send email' }).click();
    // A broker that is not configured is also a fault of a field.
    await page.getByRole('alert').getByText('One field needs a change').waitFor();
    expect(await page.getByLabel('Broker').getAttribute('aria-invalid')).toBe('true');
  });

  it('redirects the former address of the failure lab', async () => {
    await page.goto('/app/trials');
    await page.getByRole('heading', { name: 'Failure lab', level: 1 }).waitFor();
    expect(new URL(page.url()).pathname).toBe('/app/failure-lab');
  });

  it('makes one job and one email of five requests with one key', async () => {
    await page.goto('/app/failure-lab');
    await page.getByRole('button', { name: 'Send five requests' }).click();
    await page.getByText('5 requests, 1 job, 1 email').waitFor();
    expect(await page.getByText('replayed', { exact: true }).count()).toBe(4);
  });

  it('shows a refused email as a dead letter, and runs it again', async () => {
    await page.goto('/app/failure-lab');
    await page.getByRole('button', { name: 'Send to an unknown mailbox' }).click();
    await card('The mail server refuses an email')
      .getByText('Dead letter: the job failed for good and can be redriven.')
      .waitFor();
    await page.getByRole('link', { name: 'See the dead letters' }).click();
    await page.getByText('550 5.1.2 No mail server is at .invalid').first().waitFor();
    await page.getByRole('button', { name: 'Redrive', exact: true }).click();
    await page.getByText('1 redriven, 0 refused').waitFor();
    await page.getByText(/^redriven \d/).waitFor();
  });

  it('corrects the address of a refused email, whose new job completes, and discards another dead letter', async () => {
    const refuse = async () => {
      await page.goto('/app/failure-lab');
      await page.getByRole('button', { name: 'Send to an unknown mailbox' }).click();
      await page.getByRole('link', { name: 'See the dead letters' }).click();
      await page.getByRole('button', { name: 'Redrive', exact: true }).first().waitFor();
      await page.getByLabel('Search').fill('5.1.2');
      await page.getByRole('link', { name: 'Open it' }).first().click();
      await page.getByRole('heading', { name: 'What happened' }).waitFor();
    };
    await refuse();
    expect(await violations(page)).toEqual([]);
    const payload = page.getByLabel('Payload');
    const corrected = (await payload.inputValue()).replace('nobody@example.invalid', 'ada@example.com');
    await payload.fill(corrected.replace('}', ''));
    await page.getByRole('button', { name: 'Redrive with this payload' }).click();
    await page.getByText('Expected a JSON object.').waitFor();
    await payload.fill(corrected);
    await page.getByRole('button', { name: 'Redrive with this payload' }).click();
    await card('What operators did').getByText('dead_letter.redrive_edited').waitFor();
    await page.getByRole('link', { name: 'The new job' }).click();
    await card('Path of the job').locator('[data-state=completed]').waitFor();

    await refuse();
    await page.getByLabel('Reason').fill('no such customer');
    await page.getByRole('button', { name: 'Discard' }).click();
    await card('What happened')
      .getByText(/^discarded [\d:]+ no such customer/)
      .waitFor();
    await card('What operators did').getByText('dead_letter.discard').waitFor();
  });

  it('shows that the attempt for a busy mailbox is retried', async () => {
    await page.goto('/app/failure-lab');
    await page.getByRole('button', { name: 'Send to a busy mailbox' }).click();
    await card('The mail server refuses an email')
      .getByText(/Attempt \d of 5 failed\. The retry goes through the outbox/)
      .waitFor();
  });

  it('kills a worker, and all jobs are completed', async () => {
    const killed = superviseByTest(system);
    await page.goto('/app/failure-lab');
    await page.getByRole('button', { name: 'Send, kill, send' }).click();
    // An email that was sent and not settled when the worker died is sent once more.
    await page.getByText(/20 accepted, 20 completed, 20 sent/).waitFor({ timeout: 240_000 });
    expect(killed).toEqual(['email-worker']);
  }, 300_000);

  it('lets the user choose language and theme, and remembers them', async () => {
    await page.goto('/');
    const look = () =>
      page.evaluate('[document.documentElement.lang, getComputedStyle(document.body).backgroundColor]');
    expect(await look()).toEqual(['en', 'rgb(246, 246, 244)']);
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await look()).toEqual(['en', 'rgb(16, 18, 22)']);
    await page.getByLabel('Theme').selectOption('light');
    expect(await look()).toEqual(['en', 'rgb(246, 246, 244)']);
    await page.emulateMedia({ colorScheme: 'light' });
    await page.getByLabel('Theme').selectOption('dark');
    await page.getByLabel('Language').selectOption('zh');
    await page.getByRole('heading', { name: '提交任务' }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: '提交任务' }).waitFor();
    expect(await look()).toEqual(['zh', 'rgb(16, 18, 22)']);
    await page.getByLabel('语言').selectOption('en');
    await page.getByLabel('Theme').selectOption('system');
  });

  it('can be used with the keyboard alone', async () => {
    await page.goto('/');
    await page.getByLabel('Subject').waitFor();
    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe('Skip to the content');
    await page.keyboard.press('Enter');
    for (let tabs = 0; (await focused(page)) !== 'Send email'; tabs += 1) {
      expect(tabs).toBeLessThan(12);
      await page.keyboard.press('Tab');
    }
    await page.keyboard.press('Enter');
    await page.locator('[data-state=completed]').waitFor();
  });

  it.each(views)(
    'has no axe-core violation on %s, in both themes and languages, and fits into 360 px',
    async (path) => {
      await page.goto(path);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.getByText('Loading').waitFor({ state: 'detached' });
      expect(await violations(page)).toEqual([]);
      await page.emulateMedia({ colorScheme: 'dark' });
      await page.setViewportSize({ width: 360, height: 740 });
      await page.getByLabel('Language').selectOption('zh');
      expect(await violations(page)).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
      await page.getByLabel('语言').selectOption('en');
      await page.emulateMedia({ colorScheme: 'light' });
      await page.setViewportSize({ width: 1280, height: 900 });
    },
  );

  it('asks for a key when keys are set, and says which role is missing', async () => {
    const url = system.url('api-keys');
    expect((await system.get('/', 'api-keys')).status).toBe(401);
    const user = await openPage(browser, url, { httpCredentials: { username: 'ada', password: keys.user } });
    await user.page.goto('/');
    await user.page.getByRole('button', { name: 'Send email' }).click();
    await user.page.locator('[data-state=completed]').waitFor();
    await user.page.getByRole('link', { name: 'Dead letters' }).click();
    await user.page.getByText('Expected a key with the role viewer').waitFor();
    expect(user.faults).toEqual([]);
    const [cookie] = await user.page.context().cookies();
    expect(cookie).toMatchObject({ name: 'session', httpOnly: true });
    await user.page.context().close();
  });

  it('ends the session and forgets the password at a log-out, and then sends no request', async () => {
    const url = system.url('api-keys');
    const { page, faults } = await openPage(browser, url);
    // Like a browser that has asked for a password and remembers it.
    await page.goto(url.replace('//', `//ada:${keys.user}@`));
    await page.goto('/app/jobs');
    const asked: string[] = [];
    page.on('response', (answer) => asked.push(`${answer.request().method()} ${answer.status()}`));
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('heading', { name: 'You are logged out' }).waitFor();
    expect(await violations(page)).toEqual([]);
    expect(await page.context().cookies()).toEqual([]);
    expect(asked.slice(asked.indexOf('DELETE 204'))).toEqual(['DELETE 204']);
    expect(faults).toEqual([]);
    await expect(page.goto('/')).rejects.toThrow('ERR_INVALID_AUTH_CREDENTIALS');
    await page.context().close();
  });

  it('shows no log-out when no keys are set', async () => {
    const session = page.waitForResponse('**/v1/session');
    await page.goto('/');
    expect((await (await session).json()).canEnd).toBe(false);
    await page.getByText('Live', { exact: true }).waitFor();
    expect(await page.getByRole('button', { name: 'Log out' }).count()).toBe(0);
  });
});

const focused = (page: Page) => page.evaluate<string>('document.activeElement.textContent');

/** Replaces the supervisor of `npm start`: reports the worker to the API, and kills and restarts it on request. */
function superviseByTest(system: TestSystem): string[] {
  const killed: string[] = [];
  const api = system.processes.get('api')!;
  const report = () => api.send({ processes: [{ name: 'email-worker', state: 'running', restarts: killed.length }] });
  api.on('message', (message) => {
    const { name } = message as { name: string };
    killed.push(name);
    void system
      .end(name, 'SIGKILL')
      .then(report)
      .then(() => system.launch(name));
  });
  report();
  return killed;
}
