import type { PipeTransform } from '@nestjs/common';
import { z } from 'zod';
import { jobOptions, type JobDefinition, type JobOptions, type PayloadOf } from '@app/contracts';
import { invalidBody, toFieldErrors, type FieldError } from '../problem/problem';

/** The body of every route that makes a job: the payload of the definition, and `options`. */
export interface JobBody<D extends JobDefinition> {
  readonly payload: PayloadOf<D>;
  readonly options: JobOptions | undefined;
  /** The body as it was received. The idempotency key is bound to it. */
  readonly raw: unknown;
}

/** Returns a pipe that parses a body with the definition's schema. @throws Problem 400 that names each invalid field */
export function jobBody<D extends JobDefinition>(definition: D): PipeTransform<unknown, JobBody<D>> {
  return {
    transform(raw: unknown): JobBody<D> {
      if (raw === undefined) {
        throw invalidBody([{ path: '', message: 'expected a JSON object, sent with Content-Type: application/json' }]);
      }
      if (raw === null || typeof raw !== 'object' || Array.isArray(raw)) {
        const got = raw === null ? 'null' : Array.isArray(raw) ? 'array' : typeof raw;
        throw invalidBody([{ path: '', message: `expected a JSON object, got ${got}` }]);
      }
      const { options: rawOptions, ...rawPayload } = raw as Record<string, unknown>;
      const payload = definition.payload.safeParse(rawPayload);
      const options = jobOptions.optional().safeParse(rawOptions);
      if (!payload.success || !options.success) {
        throw invalidBody([
          ...toFieldErrors(payload.error?.issues ?? []),
          ...optionErrors(options.error?.issues ?? []),
        ]);
      }
      return { payload: payload.data as PayloadOf<D>, options: options.data, raw };
    },
  };
}

export function optionErrors(issues: readonly z.core.$ZodIssue[]): FieldError[] {
  return toFieldErrors(issues.map((issue) => ({ ...issue, path: ['options', ...issue.path] })));
}

/** Returns the JSON Schema of the body, for the OpenAPI document. */
export function jobBodySchema(definition: JobDefinition): object {
  const { properties, ...payload } = toOpenApi(definition.payload) as { properties?: object };
  return { ...payload, properties: { ...properties, options: toOpenApi(jobOptions) } };
}

export function toOpenApi(schema: z.ZodType): object {
  return z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input' });
}
