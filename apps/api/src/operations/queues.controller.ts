import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Pool } from 'pg';
import { z } from 'zod';
import { jobDefinitions } from '@app/features/catalogue';
import { storableText } from '@app/contracts';
import { auditPurge, listQueuePauses, OutboxWakeUp, pauseQueue, purgeQueue, resumeQueue } from '@app/ledger';
import { queuesOf } from '@app/messaging';
import {
  CallerOf,
  invalidBody,
  nameOf,
  parseBody,
  Problem,
  ProblemResponse,
  quoted,
  Roles,
  toOpenApi,
  type Caller,
} from '@app/http';

const names: readonly string[] = queuesOf(jobDefinitions).map(({ queue }) => queue);

const pauseBody = z.strictObject({ reason: storableText.trim().min(1).max(500) });

const purgeBody = z.strictObject({
  confirm: z.string().describe('the name of the queue: what is purged cannot be brought back'),
});

const queueView = z.object({
  name: z.string(),
  pause: z
    .object({ at: z.iso.datetime(), by: z.string(), reason: z.string() })
    .nullable()
    .describe('null while attempts of its jobs may begin'),
});

const purged = z.object({
  cancelled: z.int(),
  hasMore: z.boolean().describe('true if the request ended before all jobs were cancelled: purge again'),
});

type QueueView = z.output<typeof queueView>;

/** How long one request purges, in ms. A request in flight may take 3 s. */
const purgeMs = 1_500;

@ApiTags('operations')
@Roles('operator')
@Controller('v1/queues')
export class QueuesController {
  constructor(
    private readonly pool: Pool,
    private readonly wakeUp: OutboxWakeUp,
  ) {}

  @Get()
  @Roles('viewer')
  @ApiOperation({ summary: 'List the queues, and which of them are paused' })
  @ApiResponse({
    status: 200,
    description: 'The queues of all kinds of jobs.',
    schema: toOpenApi(z.object({ items: z.array(queueView) })),
  })
  async list(): Promise<{ items: QueueView[] }> {
    const pauses = new Map((await listQueuePauses.run(this.pool)).map((pause) => [pause.queue, pause]));
    return {
      items: names.map((name) => {
        const pause = pauses.get(name);
        return {
          name,
          pause:
            pause === undefined ? null : { at: pause.pausedAt.toISOString(), by: pause.pausedBy, reason: pause.reason },
        };
      }),
    };
  }

  @Post(':queue/pause')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Pause a queue, on every broker',
    description:
      'A worker that asks for a job of the queue after the answer gets none. Attempts that run go on. New jobs are accepted, and wait in the ledger. Paused twice, it stays paused.',
  })
  @ApiBody({ schema: { ...toOpenApi(pauseBody), example: { reason: 'the mail provider is down' } } })
  @ApiResponse({ status: 200, description: 'The queue, which is paused.', schema: toOpenApi(queueView) })
  @ProblemResponse(400, 'The body is invalid.')
  @ProblemResponse(404, 'There is no such queue.')
  async pause(@Param('queue') queue: string, @Body() body: unknown, @CallerOf() caller: Caller): Promise<QueueView> {
    const { reason } = parseBody(pauseBody, body);
    await pauseQueue.run(this.pool, { queue: known(queue), reason, by: nameOf(caller) });
    return this.read(queue);
  }

  @Post(':queue/resume')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Resume a queue',
    description:
      'The relay dispatches the jobs that became due meanwhile, the oldest first. A queue that is not paused stays as it is.',
  })
  @ApiResponse({ status: 200, description: 'The queue, which is not paused.', schema: toOpenApi(queueView) })
  @ProblemResponse(404, 'There is no such queue.')
  async resume(@Param('queue') queue: string, @CallerOf() caller: Caller): Promise<QueueView> {
    await resumeQueue.run(this.pool, { queue: known(queue), by: nameOf(caller) });
    return this.read(queue);
  }

  @Post(':queue/purge')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Cancel all jobs of a queue that do not run now',
    description:
      'Of every tenant: due, for later, and between two attempts. Their children are cancelled too. Attempts that run go on. Pause the queue first, so that no job begins meanwhile; new jobs arrive all the time, and may be cancelled too.',
  })
  @ApiBody({ schema: { ...toOpenApi(purgeBody), example: { confirm: 'email' } } })
  @ApiResponse({ status: 200, description: 'How many jobs were cancelled.', schema: toOpenApi(purged) })
  @ProblemResponse(400, 'The confirmation is not the name of the queue.')
  @ProblemResponse(404, 'There is no such queue.')
  async purge(
    @Param('queue') queue: string,
    @Body() body: unknown,
    @CallerOf() caller: Caller,
  ): Promise<z.output<typeof purged>> {
    known(queue);
    if (parseBody(purgeBody, body).confirm !== queue) {
      const message = `expected "${queue}", the name of the queue to be purged`;
      throw invalidBody([{ path: 'confirm', message, rule: 'queue_name', params: { queue } }]);
    }
    const kinds = jobDefinitions.flatMap((definition) => (definition.queue === queue ? [definition.kind] : []));
    await auditPurge.run(this.pool, { queue, by: nameOf(caller) });
    const endsAt = performance.now() + purgeMs;
    let cancelled = 0;
    let more: number;
    do {
      more = await purgeQueue(this.pool, queue, kinds);
      cancelled += more;
    } while (more > 0 && performance.now() < endsAt);
    this.wakeUp.request(); // Of their parents, and of jobs with the same order keys.
    return { cancelled, hasMore: more > 0 };
  }

  private async read(queue: string): Promise<QueueView> {
    return (await this.list()).items.find(({ name }) => name === queue)!;
  }
}

/** @throws Problem 404 for a queue that does not exist */
function known(queue: string): string {
  if (names.includes(queue)) return queue;
  const detail = `Expected one of the queues ${names.join(', ')}, got ${quoted(queue)}.`;
  throw new Problem(404, 'queue_not_found', 'There is no such queue', detail);
}
