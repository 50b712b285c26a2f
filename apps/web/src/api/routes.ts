import { useQuery } from '@tanstack/react-query';
import { ask } from './client';

interface OpenApi {
  readonly paths: Record<string, Record<string, unknown>>;
}

/** Says whether the server has a route, such as `POST /v1/reports`. The page hides what needs a missing route. */
export function useHasRoute(): (route: string) => boolean {
  const { data } = useQuery({
    queryKey: ['routes'],
    queryFn: async () => routesOf((await ask('/docs-json')).body as OpenApi),
    staleTime: Infinity,
  });
  return (route) => data?.has(route) ?? false;
}

function routesOf({ paths }: OpenApi): Set<string> {
  return new Set(
    Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    ),
  );
}
