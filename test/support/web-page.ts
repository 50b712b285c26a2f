import { readFileSync } from 'node:fs';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';

const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

/** A page of the web client, and everything it did that it should not. */
export interface WatchedPage {
  readonly page: Page;
  /** Faults of scripts, breaches of the Content-Security-Policy, requests to other hosts. */
  readonly faults: string[];
}

export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({
    baseURL: url,
    locale: 'en',
    viewport: { width: 1280, height: 900 },
    ...options,
  });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', ({ message }) => faults.push(message));
  page.on('console', (message) => {
    if (/Content.Security.Policy/i.test(message.text())) faults.push(message.text());
  });
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== url) faults.push(`a request to ${request.url()}`);
  });
  return { page, faults };
}

/** What axe-core finds wrong with a page as it is now: rule and element, one line each. */
export async function violations(page: Page): Promise<string[]> {
  // Colours on their way from one to another have no contrast of their own.
  await page.evaluate('for (const animation of document.getAnimations()) animation.cancel()');
  await page.evaluate(axe);
  const found = await page.evaluate<{ id: string; nodes: { html: string; failureSummary?: string }[] }[]>(
    '(async () => (await axe.run()).violations)()',
  );
  return found.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary ?? ''}`),
  );
}
