import { Body, Controller, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { Pool } from 'pg';
import { makeReport, summariseSection, sectionsOfOrders } from '@app/features/report';
import { type PayloadOf } from '@app/contracts';
import type { Child } from '@app/messaging';
import { Roles, CallerOf, type Caller, jobBody, type JobBody, JobIntake, JobRoute } from '@app/http';
import type { JobView } from '@app/http';

@ApiTags('jobs')
@Roles('user')
@Controller('v1/reports')
export class ReportsController {
  constructor(
    private readonly intake: JobIntake,
    private readonly pool: Pool,
  ) {}

  @JobRoute(makeReport, 'Make a report', { type: 'orders', format: 'csv', from: '2025-01-01', to: '2025-02-01' })
  async make(
    @Body(jobBody(makeReport)) body: JobBody<typeof makeReport>,
    @CallerOf() caller: Caller,
    @Res({ passthrough: true }) response: Response,
  ): Promise<JobView> {
    return this.intake.accept(makeReport, body, caller, response, await this.childrenOf(caller.tenant, body.payload));
  }

  /** Returns the child jobs: one for each section of a PDF, none for a table. */
  private async childrenOf(tenant: string, { format, from, to }: PayloadOf<typeof makeReport>): Promise<Child[]> {
    if (format !== 'pdf') return [];
    const period = { tenant, from: from ? new Date(from) : undefined, to: to ? new Date(to) : undefined };
    const sections = await sectionsOfOrders(this.pool, period);
    return sections.map((payload) => ({ definition: summariseSection, payload }));
  }
}
