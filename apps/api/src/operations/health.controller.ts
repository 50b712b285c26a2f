import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Pool } from 'pg';
import { Open, Problem } from '@app/http';
import { Readiness } from '@app/observability';

/** Reads whether PostgreSQL accepts writes. */
const canWrite = `SELECT pg_is_in_recovery() AS "isStandby", current_setting('transaction_read_only')::bool AS "isReadOnly"`;

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

  /** Does not check the brokers, because the API accepts jobs without them. @throws Problem 503 */
  @Get('ready')
  @ApiOperation({
    summary: 'The process is ready: it is not stopping, and the database answers and takes writes',
  })
  async ready(): Promise<{ status: 'up' }> {
    if (this.readiness.isDraining) {
      throw new Problem(503, 'draining', 'This process is stopping', 'Send requests to another one.');
    }
    const { rows } = await this.pool.query<{ isStandby: boolean; isReadOnly: boolean }>(canWrite);
    const [{ isStandby, isReadOnly }] = rows as [(typeof rows)[0]];
    if (!isStandby && !isReadOnly) return { status: 'up' };
    const why = isStandby
      ? 'PostgreSQL is a standby, which takes no writes: promote it, or correct DATABASE_URL.'
      : 'PostgreSQL takes no writes: default_transaction_read_only is on for the server, database or role.';
    throw new Problem(503, 'database_read_only', 'The database takes no writes', `No job can be accepted. ${why}`);
  }
}
