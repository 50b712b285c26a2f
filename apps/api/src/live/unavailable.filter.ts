import { Catch, type ArgumentsHost } from '@nestjs/common';
import type { Request, Response } from 'express';
import { ProblemFilter, toProblem } from '@app/http';
import { eventBody, streamHeaders } from './event-stream';

/** Temporary problems, and the minimum wait of a reader in ms. The wait is random, up to twice as long. */
const passing: Readonly<Record<string, number>> = {
  too_many_streams: 30_000,
  too_many_requests: 5_000,
  database_unavailable: 2_000,
  draining: 1_000,
};

/**
 * Answers a temporary problem of a stream with 200 and a `retry:`, and ends the stream. A browser closes an EventSource
 * for good at every status except 200, also at one that means "try again".
 */
@Catch()
export class UnavailableFilter extends ProblemFilter {
  override catch(error: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<Response>();
    const problem = toProblem(error, host.switchToHttp().getRequest<Request>());
    const waitMs = passing[problem.code];
    if (waitMs === undefined || response.headersSent) {
      super.catch(error, host);
      return;
    }
    const retryMs = Math.round(waitMs * (1 + Math.random()));
    // The event has no id, so a reader that reconnects skips no event.
    const frame = `retry: ${retryMs}\n${eventBody('unavailable', problem.toDocument())}`;
    response.writeHead(200, streamHeaders).end(frame);
  }
}
