import { Controller, Get, Injectable } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Pool } from 'pg';
import { Open } from '../access';
import { Problem } from '../http/problem';

/** Set when the process has begun to stop. */
@Injectable()
export class Readiness {
  draining = false;
}

@ApiTags('operations')
@Open()
@Controller('health')
export class HealthController {
  constructor(
    private readonly pool: Pool,
    private readonly readiness: Readiness,
  ) {}

  @Get('live')
  @ApiOperation({ summary: 'The process runs' })
  live(): { status: 'up' } {
    return { status: 'up' };
  }

  /** A broker that is away does not matter here: jobs are accepted without it. */
  @Get('ready')
  @ApiOperation({ summary: 'The process can keep its promises: it is not stopping, and the database answers' })
  async ready(): Promise<{ status: 'up' }> {
    if (this.readiness.draining) {
      throw new Problem(503, 'draining', 'This process is stopping', 'Send requests to another one.');
    }
    await this.pool.query('SELECT 1');
    return { status: 'up' };
  }
}
