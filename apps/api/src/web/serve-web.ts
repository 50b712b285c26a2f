import { join } from 'node:path';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Access } from '@app/http';

/** The output of `npm run build` for `apps/web`. */
const folder = join(__dirname, '../../../web');

export const pageFile = join(folder, 'index.html');

/**
 * Serves scripts, styles and fonts. The names contain a hash of the content, so browsers cache the files for a year.
 */
export function serveWebAssets(app: NestExpressApplication, access: Access): void {
  app.use(
    '/assets',
    access.demand(() => 'any'),
  );
  app.useStaticAssets(join(folder, 'assets'), { prefix: '/assets', immutable: true, maxAge: '1y', index: false });
}
