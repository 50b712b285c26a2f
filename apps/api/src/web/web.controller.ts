import { Controller, Get, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Response } from 'express';
import { AnyKey } from '@app/http';
import { pageFile } from './serve-web';

/** Serves the page of the web client at its own addresses only. An unknown route of the API stays a 404. */
@ApiExcludeController()
@AnyKey()
@Controller()
export class WebController {
  @Get(['/', 'app', 'app/*path'])
  show(@Res() response: Response): void {
    // The browser revalidates the page each time, because the names of the assets change with every build.
    response.sendFile(pageFile, { cacheControl: false, headers: { 'Cache-Control': 'no-cache' } });
  }
}
