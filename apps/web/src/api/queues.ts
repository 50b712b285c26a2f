import { useQuery, useQueryClient } from '@tanstack/react-query';
import { answerOf, api } from './client';
import { useHasRoute } from './routes';

/** The queues, and which of them are paused. Undefined for a caller who may not see them. */
export function useQueues() {
  const hasRoute = useHasRoute()('GET /v1/queues');
  return useQuery({
    queryKey: ['queues'],
    queryFn: () => answerOf(api.GET('/v1/queues')),
    enabled: hasRoute,
    refetchInterval: 5_000,
  }).data?.items;
}

export function useRefreshQueues() {
  const queries = useQueryClient();
  return () => queries.invalidateQueries({ queryKey: ['queues'] });
}
