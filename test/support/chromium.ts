import { existsSync } from 'node:fs';
import type { Browser } from 'playwright-core';

const howToGet = 'Install it (Debian: apt-get install chromium), or set CHROMIUM_PATH to a Chromium or Chrome.';

/** The path of a browser; undefined when none is installed. */
export function findChromium(): string | undefined {
  const paths = [
    process.env['CHROMIUM_PATH'],
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
  ];
  return paths.find((path) => path !== undefined && existsSync(path));
}

/** @throws Error with `REQUIRE_BROKERS=all`, as for a missing broker */
export function setUpChromium(): Promise<void> {
  if (findChromium()) return Promise.resolve();
  if (process.env['REQUIRE_BROKERS'] === 'all')
    throw new Error(`REQUIRE_BROKERS=all, but there is no Chromium: ${howToGet}`);
  process.stderr.write(`\nNo Chromium: the tests of the web client are skipped. ${howToGet}\n`);
  return Promise.resolve();
}

export async function launchChromium(): Promise<Browser> {
  const { chromium } = await import('playwright-core');
  return chromium.launch({
    executablePath: findChromium()!,
    // The sandbox of Chromium does not start as root.
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  });
}
