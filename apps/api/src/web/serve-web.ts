import { join } from 'node:path';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Access } from '@app/http';

/** What `npm run build` has made of `apps/web`. */
const folder = join(__dirname, '../../../web');

export const pageFile = join(folder, 'index.html');

/** Scripts, styles and fonts. Each has a hash of its content in its name, so nobody need ask for it twice. */
export function serveWebAssets(app: NestExpressApplication, access: Access): void {
  app.use(
    '/assets',
    access.demand(() => 'any'),
  );
  app.useStaticAssets(join(folder, 'assets'), { prefix: '/assets', immutable: true, maxAge: '1y', index: false });
}
