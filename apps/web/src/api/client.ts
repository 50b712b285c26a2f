import createClient from 'openapi-fetch';
import { ProblemError } from './problem';
import type { paths } from './schema';

/** The timeout of a request in ms. Without it, a browser waits for minutes for a frozen process. */
const answerWithinMs = 8_000;

/** The API client, typed by the API's OpenAPI document. The session is a cookie; no script can read the API key. */
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
 * Returns the body of a successful answer.
 * @throws ProblemError if the status is not 2xx
 */
export async function answerOf<Data>(asked: Promise<Answer<Data>>): Promise<Data> {
  const { data, error, response } = await asked;
  if (!response.ok) throw new ProblemError(response.status, error);
  return data as Data;
}

/**
 * Calls a route that the types do not cover: its path is known only at run time, or not every server has the route.
 * @returns the response, and its body if the body is JSON
 * @throws ProblemError if the status is not 2xx
 */
export async function ask(
  path: string,
  { method = 'GET', body, headers = {} }: { method?: string; body?: unknown; headers?: Record<string, string> } = {},
): Promise<{ body: unknown; response: Response }> {
  const isForm = body instanceof FormData;
  const response = await fetch(path, {
    method,
    headers: { ...(body !== undefined && !isForm && { 'Content-Type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: isForm ? body : JSON.stringify(body) }),
    // An upload has no timeout: its duration depends on the connection.
    ...(!isForm && { signal: AbortSignal.timeout(answerWithinMs) }),
  });
  const isJson = /[/+]json/.test(response.headers.get('Content-Type') ?? '');
  const answer: unknown = isJson ? await response.json() : undefined;
  if (!response.ok) throw new ProblemError(response.status, answer);
  return { body: answer, response };
}
