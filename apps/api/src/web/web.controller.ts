import { join } from 'node:path';
import { Controller, Get, Res } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Response } from 'express';
import { AnyKey, demandKey } from '@app/http';

/** The output of `npm run build` for `apps/web`. */
const folder = join(__dirname, '../../../web');

/**
 * Serves scripts, styles and fonts. The names contain a hash of the content, so browsers cache the files for a year.
 */
export function serveWebAssets(app: NestExpressApplication): void {
  app.use('/assets', demandKey);
  app.useStaticAssets(join(folder, 'assets'), { prefix: '/assets', immutable: true, maxAge: '1y', index: false });
}

/** Serves the page of the web client at its own addresses only. An unknown route of the API stays a 404. */
@ApiExcludeController()
@AnyKey()
@Controller()
export class WebController {
  @Get(['/', 'app', 'app/*path'])
  show(@Res() response: Response): void {
    // The browser revalidates the page each time, because the names of the assets change with every build.
    response.sendFile(join(folder, 'index.html'), { cacheControl: false, headers: { 'Cache-Control': 'no-cache' } });
  }
}
