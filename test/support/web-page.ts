import { readFileSync } from 'node:fs';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';

const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

/** A page of the web client, and its faults. */
export interface WatchedPage {
  readonly page: Page;
  /** Script errors, violations of the Content-Security-Policy, requests to other hosts. */
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

/** The violations that axe-core finds in the present page: rule and element, one line each. */
export async function violations(page: Page): Promise<string[]> {
  // Cancels animations, because axe-core cannot judge the contrast of a colour during a transition.
  await page.evaluate('for (const animation of document.getAnimations()) animation.cancel()');
  await page.evaluate(axe);
  const found = await page.evaluate<{ id: string; nodes: { html: string; failureSummary?: string }[] }[]>(
    '(async () => (await axe.run()).violations)()',
  );
  return found.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary ?? ''}`),
  );
}
