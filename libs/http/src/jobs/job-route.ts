import { applyDecorators, Post } from '@nestjs/common';
import { ApiBody, ApiExtension, ApiHeader, ApiOperation, ApiResponse } from '@nestjs/swagger';
import type { JobDefinition } from '@app/contracts';
import { problemDocument } from '../problem/problem';
import { jobBodySchema, toOpenApi } from './job-body';
import { jobView } from './job-view';

/**
 * Declares a POST that makes a job from a JSON body, and its part of the OpenAPI document.
 * @param example a body for the "Try it out" of Swagger UI
 */
export function JobRoute(definition: JobDefinition, summary: string, example: object): MethodDecorator {
  return applyDecorators(
    AcceptsJob(definition, summary),
    ApiBody({ schema: { ...jobBodySchema(definition), example } }),
  );
}

/** Declares a POST that makes a job, and its part of the OpenAPI document without the body. */
export function AcceptsJob(definition: JobDefinition, summary: string): MethodDecorator {
  return applyDecorators(
    Post(),
    ApiOperation({
      summary,
      description: `Accepts a job of the kind \`${definition.kind}\`. The answer comes when the job is committed.`,
    }),
    // A client can make a form for every kind of job, also for those that it does not know.
    ApiExtension('x-job-kind', definition.kind),
    ApiHeader({
      name: 'Idempotency-Key',
      required: false,
      description: 'Requests with one key make one job. The same key with another body is refused.',
      schema: { type: 'string', maxLength: 255 },
    }),
    ApiResponse({
      status: 202,
      description: 'The job is committed and will run.',
      schema: toOpenApi(jobView),
      headers: {
        Location: { schema: { type: 'string' }, description: 'the URL of the job' },
        'Idempotency-Replayed': {
          schema: { type: 'string', enum: ['true'] },
          description: 'set when the key has already been used',
        },
      },
    }),
    ProblemResponse(400, 'The body is invalid; `errors` names the fields.'),
    ProblemResponse(413, 'The body is too large.'),
    ProblemResponse(422, 'The broker is not configured, or the key was used with another body.'),
    ProblemResponse(503, 'The database does not answer.'),
  );
}

export function ProblemResponse(status: number, description: string): ClassDecorator & MethodDecorator {
  return ApiResponse({
    status,
    description,
    content: { 'application/problem+json': { schema: toOpenApi(problemDocument) } },
  });
}
