import { z } from 'zod';
import { brokenRule } from '@app/contracts';

const fieldError = z.object({
  path: z.string(),
  message: z.string().describe('what was expected there; a form may show it'),
  rule: z.string().optional().describe('stable; for a form in another language, such as `max_length`'),
  params: z.record(z.string(), z.unknown()).optional().describe('of the rule, such as `{"maximum": 500}`'),
});

/** One error in a request body: its path, and the expected value. */
export type FieldError = Readonly<z.output<typeof fieldError>>;

/** The body of every error answer (RFC 9457, application/problem+json). Callers branch on `code`. */
export const problemDocument = z.object({
  type: z.string().describe('`urn:problem:` and the code'),
  title: z.string(),
  status: z.int(),
  code: z.string().describe('stable; programs branch on it'),
  detail: z.string().describe('what was expected, what arrived, how to correct it'),
  errors: z.array(fieldError).optional(),
});

export type ProblemDocument = z.output<typeof problemDocument>;

/** The maximum number of errors in an answer, and the maximum lengths of its texts in characters. */
const most = { faults: 20, detail: 1_000, path: 200, message: 500 };

/** An error answer. Code below a controller throws it, and `ProblemFilter` writes it. */
export class Problem extends Error {
  readonly errors: readonly FieldError[] | undefined;

  /**
   * @param code stable, for programs
   * @param detail cut after 1,000 characters
   * @param errors only the first 20 are kept
   */
  constructor(
    readonly status: number,
    readonly code: string,
    readonly title: string,
    detail: string,
    errors?: readonly FieldError[],
    /** A list is sent as one header line for each value. */
    readonly headers: Readonly<Record<string, string | string[]>> = {},
  ) {
    super(cut(detail, most.detail));
    this.name = 'Problem';
    this.errors = errors?.slice(0, most.faults).map((fault) => ({
      ...fault,
      path: cut(fault.path, most.path),
      message: cut(fault.message, most.message),
    }));
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

/** Quotes input of a caller, cut after 100 characters. Every message that contains input uses it. */
export function quoted(input: string): string {
  return `"${cut(input, 100)}"`;
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…`.toWellFormed() : text;
}

/** @param detail the limit, in bytes */
export function bodyTooLarge(detail: string): Problem {
  return new Problem(413, 'body_too_large', 'The body is too large', detail);
}

export function invalidBody(errors: readonly FieldError[]): Problem {
  return new Problem(400, 'invalid_body', 'The body is not what this route takes', summaryOf(errors), errors);
}

/** Writes the `detail`: the error itself if there is one, the number of errors if there are more. */
function summaryOf(errors: readonly FieldError[]): string {
  const [first, ...others] = errors;
  if (!first || others.length > 0) {
    return `Expected no fault, got ${errors.length > most.faults ? `more than ${most.faults}` : errors.length}; "errors" names each one, at most ${most.faults}.`;
  }
  return first.path ? `${cut(first.path, most.path)}: ${first.message}` : first.message;
}

/** Converts zod's issues to field errors. For an unknown field, the path names the field, not the object around it. */
export function toFieldErrors(issues: readonly z.core.$ZodIssue[]): FieldError[] {
  // One more than the answer shows, so that `detail` can say "more than".
  const few = most.faults + 1;
  return issues
    .slice(0, few)
    .flatMap((issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.slice(0, few).map((key) => ({
            path: [...issue.path, key].join('.'),
            message: 'is not a field of this object',
            rule: 'unknown_field',
          }))
        : [{ path: issue.path.join('.'), message: issue.message, ...brokenRule(issue) }],
    )
    .slice(0, few);
}

/** Parses a query. @throws Problem 400 that names each invalid parameter */
export function parseQuery<Schema extends z.ZodType>(schema: Schema, query: unknown): z.output<Schema> {
  const parsed = schema.safeParse(query);
  if (parsed.success) return parsed.data;
  const errors = toFieldErrors(parsed.error.issues);
  throw new Problem(400, 'invalid_query', 'The query is not what this route takes', summaryOf(errors), errors);
}

/** Parses a body. @throws Problem 400 that names each invalid field */
export function parseBody<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw invalidBody(toFieldErrors(parsed.error.issues));
}
