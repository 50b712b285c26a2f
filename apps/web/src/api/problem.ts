/** One error in a request body: the field, and what the server expects there. */
export interface FieldError {
  readonly path: string;
  /** The server's message, in English. */
  readonly message: string;
  /** The stable name of the rule, such as `max_length`. A translation may have its own sentence for it. */
  readonly rule?: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

interface ProblemDocument {
  readonly title: string;
  readonly code: string;
  readonly detail: string;
  readonly errors?: readonly FieldError[];
}

/** An answer whose status is not 2xx, with the problem document of the API (RFC 9457). */
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

/** Replaces a missing problem document: a proxy answered, or the API is restarting. */
function noDocument(status: number): ProblemDocument {
  return { title: `HTTP ${status}`, code: 'no_document', detail: 'The answer has no problem document.' };
}
