import type { Browser, Page } from 'playwright-core';
import { findChromium, launchChromium } from '../support/chromium';
import { anEmail, TestSystem } from '../support/system';
import { openPage } from '../support/web-page';

(findChromium() ? describe : describe.skip)('the path of a job shows where the job is', () => {
  let system: TestSystem;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    system = await TestSystem.start({ apps: ['api'] });
    browser = await launchChromium();
    page = (await openPage(browser, system.url())).page;
  });

  afterAll(async () => {
    await browser.close();
    await system.stop();
  });

  const post = async (path: string, body: object) => (await system.post(path, body)).body.id as string;
  const change = (id: string, set: string) => system.pool.query(`UPDATE job SET ${set} WHERE id = $1`, [id]);
  const publish = (id: string) => system.pool.query('DELETE FROM outbox WHERE job_id = $1', [id]);

  async function open(id: string): Promise<void> {
    await page.goto(`/app/jobs/${id}`);
    await page.locator('.stations').waitFor();
  }

  /** The lights from left to right. */
  async function lights(expected: string): Promise<void> {
    const [api, outbox, broker, worker, effect] = expected.split(' ');
    const path = page.locator('.path');
    for (const [station, light] of Object.entries({ api, outbox, broker, worker, effect })) {
      await path.locator(`[data-station=${station}].is-${light}`).waitFor();
    }
  }

  it('in the outbox while the relay is stopped, at the broker while the worker is stopped, then done', async () => {
    await open(await post('/v1/emails', anEmail()));
    await lights('done now idle idle idle');
    await page.getByText('not published yet').waitFor();
    await system.launch('relay');
    await lights('done done now idle idle');
    await page.getByText('waits for a worker').waitFor();
    await system.launch('email-worker');
    await lights('done done done done done');
    await system.end('email-worker', 'SIGTERM');
    await system.end('relay', 'SIGTERM');
  });

  it.each<[string, (id: string) => Promise<unknown>, string, RegExp]>([
    ['a delayed job', (id) => change(id, "run_at = now() + interval '1 hour'"), 'done now idle idle idle', /due \d/],
    [
      'a job that a worker has',
      async (id) => {
        await publish(id);
        await change(
          id,
          `state = 'active', attempt = 2, started_at = now(), lease_until = now() + interval '1 hour',
           error = '{"code": "error", "message": "451"}'`,
        );
      },
      'done done done now idle',
      /Attempt 1 of 5 failed/,
    ],
    [
      'a job whose worker has died while the relay is stopped',
      async (id) => {
        await publish(id);
        await change(id, "state = 'active', attempt = 1, started_at = now(), lease_until = now() - interval '1 hour'");
      },
      'done done done stopped idle',
      /lease of the worker has expired/,
    ],
    [
      'a job that is cancelled at the broker',
      async (id) => {
        await publish(id);
        await system.post(`/v1/jobs/${id}/cancel`, {});
      },
      'done idle idle idle idle',
      /Cancelled while no worker was running it/,
    ],
    [
      'a job that is cancelled between two attempts',
      async (id) => {
        await change(id, "attempt = 1, started_at = now(), run_at = now() + interval '1 hour'");
        await system.post(`/v1/jobs/${id}/cancel`, {});
      },
      'done idle idle idle idle',
      /Cancelled while no worker was running it/,
    ],
    [
      'a parent that has failed with its child',
      async (id) => {
        await publish(id);
        await change(id, `state = 'failed', finished_at = now(), error = '{"code": "child_failed", "message": "…"}'`);
      },
      'done idle idle idle idle',
      /Dead letter/,
    ],
  ])('%s', async (_, prepare, expected, note) => {
    const id = await post('/v1/emails', anEmail());
    await prepare(id);
    await open(id);
    await lights(expected);
    await page.locator('.path').getByText(note).first().waitFor();
  });

  it('a parent waits for its children in no station, and its child is in the outbox', async () => {
    const id = await post('/v1/reports', { type: 'orders', format: 'pdf' });
    await open(id);
    await lights('done idle idle idle idle');
    await page.getByText('waits for its child jobs').waitFor();
    const { rows } = await system.pool.query<{ id: string }>('SELECT id::text FROM job WHERE parent_id = $1', [id]);
    await open(rows[0]!.id);
    await lights('done now idle idle idle');
  });

  it('says that an effect is not confirmed, where an attempt may have had it', async () => {
    const id = await post('/v1/emails', anEmail());
    await publish(id);
    await change(
      id,
      `state = 'failed', attempt = 5, started_at = now(), finished_at = now(),
       error = '{"code": "lease_expired", "message": "…"}'`,
    );
    await open(id);
    await lights('done done done failed idle');
    await page.locator('[data-station=effect]').getByText('not confirmed').waitFor();
  });

  it('does not pretend to know while the API is stopped, and goes on when it is back', async () => {
    await open(await post('/v1/emails', anEmail()));
    await lights('done now idle idle idle');
    await page.getByText('Live', { exact: true }).waitFor();
    await system.end('api', 'SIGKILL');
    await page.getByText('Not connected').waitFor();
    await page.locator('.path[data-stale]').waitFor();
    await page.getByRole('alert').getByText('The API does not answer').waitFor();
    await system.launch('api');
    await page.getByText('Live', { exact: true }).waitFor();
    await page.locator('.path:not([data-stale])').waitFor();
  });
});
