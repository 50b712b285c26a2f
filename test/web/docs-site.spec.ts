import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { findChromium, launchChromium } from '../support/chromium';
import { projectFolder } from '../support/postgres';
import { TestSystem } from '../support/system';
import { until } from '../support/until';
import { openPage, violations } from '../support/web-page';

const isBuilt = existsSync(join(projectFolder, 'dist/learn/index.html'));
if (process.env['REQUIRE_BROKERS'] === 'all' && !isBuilt) {
  throw new Error('REQUIRE_BROKERS=all, but there is no docs site: npm run docs:build makes it.');
}

(isBuilt && findChromium() ? describe : describe.skip)('the docs site at /learn', () => {
  let system: TestSystem;
  let browser: Browser;

  beforeAll(async () => {
    system = await TestSystem.start({ apps: ['api'] });
    browser = await launchChromium();
  });

  afterAll(async () => {
    await browser.close();
    await system.stop();
  });

  it.each([
    ['/learn/', 'en-US', 'node-message-queue'],
    ['/learn/05-reliability-and-idempotency.html', 'en-US', 'Reliability and idempotency'],
    ['/learn/zh-CN/', 'zh-CN', 'node-message-queue'],
    ['/learn/zh-CN/05-reliability-and-idempotency.html', 'zh-CN', '可靠性与幂等'],
  ])('shows %s with its drawings, accessible, and with nothing from another host', async (path, locale, title) => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page, faults } = await openPage(browser, system.url(), { locale, colorScheme });
      await page.goto(path);
      expect(await page.locator('h1').innerText()).toContain(title);
      await page.locator('.drawing svg').first().waitFor();
      const ours = (await violations(page)).filter((violation) => !/VP|vp-|DocSearch|mermaid|drawing/.test(violation));
      expect([colorScheme, ours, faults]).toEqual([colorScheme, [], []]);
      await page.context().close();
    }
  });

  /** Until then the layout moves. */
  async function allDrawn(page: Page): Promise<void> {
    await page.locator('.drawing').first().waitFor();
    await until(
      'all drawings are drawn',
      () => page.locator('.drawing-text').count(),
      (left) => left === 0,
    );
  }

  it('shows a drawing over the page, larger, and back in the text', async () => {
    const { page, faults } = await openPage(browser, system.url(), { viewport: { width: 390, height: 844 } });
    await page.goto('/learn/diagrams.html');
    await allDrawn(page);
    const drawing = page.locator('.drawing').first();
    const width = async () => (await drawing.locator('svg').boundingBox())!.width;
    const before = await width();
    await drawing.getByRole('button', { name: 'Enlarge' }).click();
    expect(await width()).toBeGreaterThan(before * 1.5);
    await drawing.getByRole('button', { name: 'Reduce' }).click();
    expect(await width()).toBe(before);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  it('draws labels without a hyphen that the text does not have', async () => {
    const { page } = await openPage(browser, system.url(), { locale: 'zh-CN' });
    await page.goto('/learn/zh-CN/diagrams.html');
    await allDrawn(page);
    const words = (await page.locator('.drawing').allInnerTexts()).join('\n');
    expect(words).toContain('sweepExpiredLeases()');
    expect(words).not.toMatch(/-$/m);
    await page.context().close();
  });

  it('finds a Chinese word inside a sentence', async () => {
    const { page, faults } = await openPage(browser, system.url(), { locale: 'zh-CN' });
    await page.goto('/learn/zh-CN/');
    await page.locator('#local-search button').click();
    await page.locator('#localsearch-input').fill('幂等键');
    await page.locator('.result').first().waitFor();
    expect(await page.locator('.result').first().innerText()).toMatch(/[幂等键]/);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  it('opens a source file that a page links to, as text', async () => {
    const answer = await system.get('/learn/source/libs/ledger/src/jobs/enqueue.ts.txt');
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain/);
    expect(answer.body).toContain('export');
  });
});
