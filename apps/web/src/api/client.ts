import createClient from 'openapi-fetch';
import { ProblemError } from './problem';
import type { paths } from './schema';

/** What a question may take. A process that is frozen keeps its connections, and a browser waits for it for minutes. */
const answerWithinMs = 8_000;

/** The API, with the types of its own OpenAPI document. The session is a cookie; a script never sees the key. */
export const api = createClient<paths>({
  baseUrl: location.origin,
  fetch: (request) => fetch(request, { signal: AbortSignal.timeout(answerWithinMs) }),
});

interface Answer<Data> {
  data?: Data;
  error?: unknown;
  response: Response;
}

/**
 * What was answered.
 * @throws ProblemError for every answer that is no success
 */
export async function answerOf<Data>(asked: Promise<Answer<Data>>): Promise<Data> {
  const { data, error, response } = await asked;
  if (!response.ok) throw new ProblemError(response.status, error);
  return data as Data;
}

/** A route whose path is known at run time only, or that not every server has. @throws ProblemError */
export async function ask(
  path: string,
  { method = 'GET', body, headers = {} }: { method?: string; body?: unknown; headers?: Record<string, string> } = {},
): Promise<{ body: unknown; response: Response }> {
  const isForm = body instanceof FormData;
  const response = await fetch(path, {
    method,
    headers: { ...(body !== undefined && !isForm && { 'Content-Type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: isForm ? body : JSON.stringify(body) }),
    // An upload takes as long as its connection needs.
    ...(!isForm && { signal: AbortSignal.timeout(answerWithinMs) }),
  });
  const isJson = /[/+]json/.test(response.headers.get('Content-Type') ?? '');
  const answer: unknown = isJson ? await response.json() : undefined;
  if (!response.ok) throw new ProblemError(response.status, answer);
  return { body: answer, response };
}
