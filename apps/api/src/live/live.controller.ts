import { applyDecorators, Controller, Get, Headers, Param, Res, UseFilters } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { Pool } from 'pg';
import { ChangeCursor, readJobPosition, readNow } from '@app/ledger';
import { Roles, isUuid, CallerOf, type Caller, Problem, ProblemResponse, quoted } from '@app/http';
import { jobNotFound } from '../jobs/jobs.controller';
import { JobFollower, TenantFollower } from './followers';
import { LiveFeed } from './live-feed';
import { Streams } from './streams';
import { UnavailableFilter } from './unavailable.filter';

const StreamRoute = (description: string, example: string): MethodDecorator =>
  applyDecorators(
    ApiHeader({
      name: 'Last-Event-ID',
      required: false,
      description: 'The `id` of the last event that the client received. Browsers send it when they reconnect.',
    }),
    ApiResponse({
      status: 200,
      description: `${description} If no stream can be opened now, the answer is 200 with a \`retry:\` and one event \`unavailable\`, whose data is a problem document: any other status would end an EventSource for good.`,
      content: { 'text/event-stream': { schema: { type: 'string' }, example } },
    }),
    ProblemResponse(400, 'The Last-Event-ID is not the id of an event of this stream.'),
  );

/**
 * Streams the updates of jobs as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html).
 */
@ApiTags('jobs')
@Roles('user')
@UseFilters(UnavailableFilter)
@Controller('v1')
export class LiveController {
  constructor(
    private readonly pool: Pool,
    private readonly streams: Streams,
    private readonly feed: LiveFeed,
  ) {}

  @Get('jobs/:id/events')
  @ApiOperation({
    summary: 'Follow a job',
    description:
      'All past and new events of the job, in order, each once: `state`, `progress` and, when the job is completed, `result`. The stream ends when the job ends.',
  })
  @StreamRoute('Events until the job ends.', 'id: 2\nevent: state\ndata: {"state":"active","attempt":1,"at":"…"}\n\n')
  @ApiResponse({
    status: 204,
    description: 'The job has ended, and the client has received its last event: do not reconnect.',
  })
  @ProblemResponse(404, 'There is no such job.')
  async followJob(
    @Param('id') id: string,
    @Headers('last-event-id') lastEventId: string | undefined,
    @CallerOf() { tenant, session }: Caller,
    @Res() response: Response,
  ): Promise<void> {
    const position = isUuid(id) ? await readJobPosition(this.pool, tenant, id) : undefined;
    if (!position) throw jobNotFound(id);
    const after = sequenceOf(lastEventId, position.last);
    if (position.isFinal && after === position.last) {
      response.status(204).end();
      return;
    }
    await this.streams.makeRoom(tenant);
    if (response.destroyed) return;
    const listener = { onRoom: () => this.feed.readOn(follower), onClose: () => this.feed.leaveJob(follower) };
    const stream = this.streams.begin({ tenant, session }, response, listener, lastEventId !== undefined);
    // In lower case, as in the ledger. The caller may write the id in upper case.
    const follower = new JobFollower(tenant, id.toLowerCase(), after ?? 0, stream);
    this.feed.followJob(follower, position.cursor);
  }

  @Get('events')
  @ApiOperation({
    summary: 'Follow all jobs',
    description:
      'Sends each job of the tenant when it changes, as `GET /v1/jobs/{id}` shows it, with its `sequence`. A change may arrive twice, and none is lost. The event with the highest `sequence` shows the job as it is now.',
  })
  @StreamRoute('Jobs as they change.', 'id: 812:812:\nevent: job\ndata: {"id":"…","state":"active","sequence":2,…}\n\n')
  async followTenant(
    @Headers('last-event-id') lastEventId: string | undefined,
    @CallerOf() { tenant, session }: Caller,
    @Res() response: Response,
  ): Promise<void> {
    const now = await readNow(this.pool);
    const cursor = cursorOf(lastEventId, now) ?? now;
    await this.streams.makeRoom(tenant);
    if (response.destroyed) return;
    const listener = { onRoom: () => this.feed.wakeUp(), onClose: () => this.feed.leaveTenant(follower) };
    const isBack = lastEventId !== undefined;
    const stream = this.streams.begin({ tenant, session }, response, listener, isBack, cursor.toString());
    const follower = new TenantFollower(tenant, cursor, stream);
    this.feed.followTenant(follower);
  }
}

/**
 * Parses the Last-Event-ID of the stream of one job.
 * @param header the header Last-Event-ID, which a browser sends when it reconnects
 * @param last the sequence of the job's last event
 * @returns the sequence; undefined for a reader that has received no event
 * @throws Problem 400
 */
function sequenceOf(header: string | undefined, last: number): number | undefined {
  if (!header) return undefined;
  if (/^\d{1,10}$/.test(header) && Number(header) <= last) return Number(header);
  throw invalidLastEventId(`expected the id of an event of this job, 0 to ${last}, got ${quoted(header)}`);
}

/**
 * Parses the Last-Event-ID of the stream of all jobs.
 * @param now the current position of the database
 * @returns the position; undefined for a reader that starts with the next change
 * @throws Problem 400
 */
function cursorOf(header: string | undefined, now: ChangeCursor): ChangeCursor | undefined {
  if (!header) return undefined;
  const cursor = header.length <= 500 ? ChangeCursor.parse(header) : undefined;
  if (cursor && !cursor.isAheadOf(now)) return cursor;
  throw invalidLastEventId(
    `expected the id of an event of this stream, got ${quoted(header)}. Read GET /v1/jobs, and come without it.`,
  );
}

function invalidLastEventId(message: string): Problem {
  return new Problem(400, 'invalid_last_event_id', 'The Last-Event-ID cannot be used', message, [
    { path: 'Last-Event-ID', message },
  ]);
}
