import { Catch, type ArgumentsHost } from '@nestjs/common';
import type { Request, Response } from 'express';
import { ProblemFilter, toProblem } from '@app/http';
import { unavailableFrame } from './event-frame';
import { streamHeaders } from './event-stream';

/** What passes by itself, and how long a reader waits for it, in milliseconds: once to twice as long, at random. */
const passing: Readonly<Record<string, number>> = {
  too_many_streams: 30_000,
  too_many_requests: 5_000,
  database_unavailable: 2_000,
  draining: 1_000,
};

/**
 * A browser gives an EventSource up for good at every status but 200, also at one that means "in a moment". So for a
 * stream such an answer is a 200 that says when to come back, and ends.
 */
@Catch()
export class UnavailableFilter extends ProblemFilter {
  override catch(error: unknown, host: ArgumentsHost): void {
    const [request, response] = [
      host.switchToHttp().getRequest<Request>(),
      host.switchToHttp().getResponse<Response>(),
    ];
    const problem = toProblem(error, request);
    const waitMs = passing[problem.code];
    if (waitMs === undefined || response.headersSent) {
      super.catch(error, host);
      return;
    }
    const retryMs = Math.round(waitMs * (1 + Math.random()));
    response.writeHead(200, streamHeaders).end(unavailableFrame(retryMs, problem.toDocument()));
  }
}
