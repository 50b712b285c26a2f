import { z } from 'zod';
import { brokenRule, type BrokenRule } from '@app/contracts';

/** One fault of a request body: where it is, and what was expected there. */
export interface FieldError extends Partial<BrokenRule> {
  readonly path: string;
  readonly message: string;
}

const fieldError = z.object({
  path: z.string(),
  message: z.string().describe('what was expected there, as a form may show it'),
  rule: z.string().optional().describe('stable; for a form in another language, such as `max_length`'),
  params: z.record(z.string(), z.unknown()).optional().describe('of the rule, such as `{"maximum": 500}`'),
});

/** The body of every error answer (RFC 9457, application/problem+json). Callers branch on `code`. */
export const problemDocument = z.object({
  type: z.string().describe('`urn:problem:` and the code'),
  title: z.string(),
  status: z.int(),
  code: z.string().describe('stable; what a program looks at'),
  detail: z.string().describe('what was expected, what came, how to mend it'),
  errors: z.array(fieldError).optional(),
});

export type ProblemDocument = z.output<typeof problemDocument>;

/** An answer other than success. Thrown anywhere below a controller, written by the filter. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly title: string,
    detail: string,
    readonly errors?: readonly FieldError[],
    /** A list is sent as one line each. */
    readonly headers: Readonly<Record<string, string | string[]>> = {},
  ) {
    super(detail);
    this.name = 'Problem';
  }

  toDocument(): ProblemDocument {
    return {
      type: `urn:problem:${this.code}`,
      title: this.title,
      status: this.status,
      code: this.code,
      detail: this.message,
      ...(this.errors && { errors: [...this.errors] }),
    };
  }
}

export function invalidBody(errors: readonly FieldError[]): Problem {
  const first = errors.map(({ path, message }) => (path ? `${path}: ${message}` : message)).join('; ');
  return new Problem(400, 'invalid_body', 'The body is not what this route takes', first, errors);
}

/** zod's issues as field errors. An unknown field is named itself, not the object that holds it. */
export function toFieldErrors(issues: readonly z.core.$ZodIssue[]): FieldError[] {
  return issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({
          path: [...issue.path, key].join('.'),
          message: 'is not a field of this object',
          rule: 'unknown_field',
        }))
      : [{ path: issue.path.join('.'), message: issue.message, ...brokenRule(issue) }],
  );
}

/** @throws Problem 400 that names every parameter at fault */
export function parseQuery<Schema extends z.ZodType>(schema: Schema, query: unknown): z.output<Schema> {
  const parsed = schema.safeParse(query);
  if (parsed.success) return parsed.data;
  const errors = toFieldErrors(parsed.error.issues);
  const detail = errors.map(({ path, message }) => `${path}: ${message}`).join('; ');
  throw new Problem(400, 'invalid_query', 'The query is not what this route takes', detail, errors);
}

/** @throws Problem 400 that names every field at fault */
export function parseBody<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw invalidBody(toFieldErrors(parsed.error.issues));
}
