import { Controller, Delete, HttpCode, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { AnyKey } from './roles';
import { Sessions } from './sessions';

@ApiTags('sessions')
@AnyKey()
@Controller('v1/session')
export class SessionController {
  constructor(private readonly sessions: Sessions) {}

  @Delete()
  @HttpCode(204)
  @ApiOperation({
    summary: 'Log out',
    description:
      "Ends the browser's session in every API process, whoever has a copy of its cookie, and asks the browser to forget the password it was begun with.",
  })
  @ApiResponse({ status: 204, description: 'The session has ended, if there was one.' })
  async end(@Req() request: Request, @Res({ passthrough: true }) response: Response): Promise<void> {
    await this.sessions.end(request);
    // Cookies, and the password of Basic that the browser remembers (https://www.w3.org/TR/clear-site-data/).
    response.set('Clear-Site-Data', '"cookies"');
  }
}
