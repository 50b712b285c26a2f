import { useQuery } from '@tanstack/react-query';
import { ask } from './client';

/** The parts of JSON Schema that the forms know. */
export interface JsonSchema {
  readonly type?: string;
  readonly format?: string;
  readonly enum?: readonly unknown[];
  readonly description?: string;
  readonly example?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
}

interface Operation {
  readonly summary?: string;
  readonly 'x-job-kind'?: string;
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: JsonSchema }>> };
}

interface OpenApi {
  readonly paths: Record<string, Record<string, Operation>>;
}

/** A route that makes a job from a body. */
export interface JobRoute {
  /** Such as `email.send`. */
  readonly kind: string;
  readonly path: string;
  readonly summary: string;
  readonly body: JsonSchema;
  readonly isMultipart: boolean;
}

/** Says whether the server has a route, such as `POST /v1/reports`. The page hides what needs a missing route. */
export function useHasRoute(): (route: string) => boolean {
  const routes = useOpenApi(routesOf);
  return (route) => routes?.has(route) ?? false;
}

/** The kinds of jobs that the page can send, in the order of the document. A new kind needs no change here. */
export function useJobRoutes(): readonly JobRoute[] {
  return useOpenApi(jobRoutesOf) ?? [];
}

function useOpenApi<Part>(select: (document: OpenApi) => Part): Part | undefined {
  return useQuery({
    queryKey: ['routes'],
    queryFn: async () => (await ask('/docs-json')).body as OpenApi,
    staleTime: Infinity,
    select,
  }).data;
}

function routesOf({ paths }: OpenApi): Set<string> {
  return new Set(
    Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    ),
  );
}

const multipart = 'multipart/form-data';

function jobRoutesOf({ paths }: OpenApi): JobRoute[] {
  return Object.entries(paths).flatMap(([path, { post }]) => {
    const { 'x-job-kind': kind, summary = path, requestBody } = post ?? {};
    const content = requestBody?.content ?? {};
    const body = (content['application/json'] ?? content[multipart])?.schema;
    return kind && body ? [{ kind, path, summary, body, isMultipart: multipart in content }] : [];
  });
}
