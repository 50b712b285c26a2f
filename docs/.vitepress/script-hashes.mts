import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Writes `script-hashes.json` into the site: the sources, in the words of a Content-Security-Policy, of the scripts that
 * VitePress puts into its pages. The API allows these and no other inline script.
 */
export function writeScriptHashes(site: string): void {
  const hashes = new Set<string>();
  for (const name of readdirSync(site, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.html')) continue;
    const page = readFileSync(join(site, name), 'utf8');
    for (const [, script] of page.matchAll(/<script(?![^>]* src=)[^>]*>(.*?)<\/script>/gs)) {
      hashes.add(`'sha256-${createHash('sha256').update(script!).digest('base64')}'`);
    }
  }
  writeFileSync(join(site, 'script-hashes.json'), JSON.stringify([...hashes].sort()));
}
