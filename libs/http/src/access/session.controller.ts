import { Controller, Delete, Get, HttpCode, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { roles } from '@app/configuration';
import { toOpenApi } from '../jobs/job-body';
import { identityOf } from './identity';
import { AnyKey } from './roles';
import { Sessions } from './sessions';

const sessionView = z.object({
  tenant: z.string(),
  roles: z.array(z.enum(roles)),
  canEnd: z
    .boolean()
    .describe('whether DELETE /v1/session ends something: false for a Bearer key, and where there are no keys'),
});

@ApiTags('sessions')
@AnyKey()
@Controller('v1/session')
export class SessionController {
  constructor(private readonly sessions: Sessions) {}

  @Get()
  @ApiOperation({ summary: 'Show who the caller is, and whether there is a session to end' })
  @ApiResponse({ status: 200, description: 'The caller, by its key or session.', schema: toOpenApi(sessionView) })
  who(@Req() request: Request): z.output<typeof sessionView> {
    const { tenant, roles, by } = identityOf(request);
    return { tenant, roles: [...roles], canEnd: by === 'session' || by === 'basic' };
  }

  @Delete()
  @HttpCode(204)
  @ApiOperation({
    summary: 'Log out',
    description:
      'Ends the session of the browser. From then on, every API process refuses its cookie and any copy of it. Event streams that were opened with the cookie end within two seconds. The answer asks the browser to forget the cookie and the password.',
  })
  @ApiResponse({ status: 204, description: 'The session has ended, if there was one.' })
  async end(@Req() request: Request, @Res({ passthrough: true }) response: Response): Promise<void> {
    await this.sessions.end(request);
    // Clears the cookies and the remembered Basic password (https://www.w3.org/TR/clear-site-data/).
    response.set('Clear-Site-Data', '"cookies"');
  }
}
