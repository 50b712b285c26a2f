import { Controller, Get, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Response } from 'express';
import { AnyKey } from '@app/http';
import { pageFile } from './serve-web';

/** The page of the web client, at its own addresses and no others: an unknown route of the API stays a 404. */
@ApiExcludeController()
@AnyKey()
@Controller()
export class WebController {
  @Get(['/', 'app', 'app/*path'])
  show(@Res() response: Response): void {
    // Asked for anew each time: it names the assets, which change with every build.
    response.sendFile(pageFile, { cacheControl: false, headers: { 'Cache-Control': 'no-cache' } });
  }
}
