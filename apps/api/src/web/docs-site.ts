import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { docsSitePolicy } from '@app/http';

/** The output of `npm run docs:build`. */
const folder = join(__dirname, '../../../../learn');

/**
 * Serves the docs site at `/learn` without a key, because it holds only this repository. Without a build `/learn` is
 * unknown, as any other route.
 */
export function serveDocsSite(app: NestExpressApplication): void {
  const file = join(folder, 'script-hashes.json');
  if (!existsSync(file)) return;
  app.use('/learn', docsSitePolicy(JSON.parse(readFileSync(file, 'utf8')) as string[]));
  app.useStaticAssets(folder, { prefix: '/learn' });
}
