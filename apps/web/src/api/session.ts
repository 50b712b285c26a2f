import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { answerOf, api } from './client';
import { useHasRoute } from './routes';

/** Whether a log-out would end something. */
export function useHasSession(): boolean {
  const hasRoute = useHasRoute();
  const { data } = useQuery({
    queryKey: ['session'],
    queryFn: () => answerOf(api.GET('/v1/session')),
    enabled: hasRoute('GET /v1/session'),
    staleTime: Infinity,
  });
  return data?.canEnd ?? false;
}

/** The caller shows no view meanwhile: a request without a session makes the browser ask for a password. */
export function useLogOut() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => answerOf(api.DELETE('/v1/session')),
    onSuccess: () => queries.clear(),
  });
}
