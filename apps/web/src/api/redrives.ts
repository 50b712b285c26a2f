import { useQuery, useQueryClient } from '@tanstack/react-query';
import { answerOf, api } from './client';
import { useHasRoute } from './routes';
import type { paths } from './schema';
import { useIsOperator } from './session';

export type Redrive = paths['/v1/redrives/{id}']['get']['responses'][200]['content']['application/json'];

/** Whether the server has redrives of many dead letters, and the caller may begin one. */
export function useMayRedriveMany(): boolean {
  const isOperator = useIsOperator();
  return useHasRoute()('POST /v1/redrives') && isOperator;
}

/** The newest redrives of many dead letters. */
export function useRedrives() {
  return useQuery({
    queryKey: ['redrives'],
    queryFn: () => answerOf(api.GET('/v1/redrives')),
    refetchInterval: 2_000,
  });
}

export function useRefreshRedrives() {
  const queries = useQueryClient();
  return () => queries.invalidateQueries({ queryKey: ['redrives'] });
}

export type RedriveAction = 'pause' | 'resume' | 'cancel';

/** What each state allows. */
export const redriveActions: Readonly<Record<Redrive['state'], readonly RedriveAction[]>> = {
  running: ['pause', 'cancel'],
  paused: ['resume', 'cancel'],
  stopped: ['resume', 'cancel'],
  finished: [],
  cancelled: [],
};

/** @throws ProblemError if the state of the redrive does not allow the action */
export function changeRedrive(id: string, action: RedriveAction): Promise<Redrive> {
  return answerOf(api.POST(`/v1/redrives/{id}/${action}`, { params: { path: { id } } }));
}
