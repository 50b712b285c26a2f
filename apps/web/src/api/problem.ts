/** One fault of a request body: where it is, and what was expected there. */
export interface FieldError {
  readonly path: string;
  /** In English. */
  readonly message: string;
  /** Stable, such as `max_length`; a language that has a sentence for it says it itself. */
  readonly rule?: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

interface ProblemDocument {
  readonly title: string;
  readonly code: string;
  readonly detail: string;
  readonly errors?: readonly FieldError[];
}

/** An answer other than success: the problem document that the API sends (RFC 9457). */
export class ProblemError extends Error {
  readonly code: string;
  readonly title: string;
  readonly errors: readonly FieldError[];

  constructor(
    readonly status: number,
    document: unknown,
  ) {
    const { title, code, detail, errors } = isProblem(document) ? document : noDocument(status);
    super(detail);
    this.name = 'ProblemError';
    this.title = title;
    this.code = code;
    this.errors = errors ?? [];
  }
}

function isProblem(document: unknown): document is ProblemDocument {
  return typeof document === 'object' && document !== null && 'code' in document && 'detail' in document;
}

/** A proxy in between, or an API that is just being started again. */
function noDocument(status: number): ProblemDocument {
  return { title: `HTTP ${status}`, code: 'no_document', detail: 'The answer came without a problem document.' };
}
