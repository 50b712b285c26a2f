import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { answerOf, api } from './client';
import { useHasRoute } from './routes';

/** Whether there is a session to end. */
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

/**
 * Ends the session. The caller must show no view during and after the log-out: a request without a session makes the
 * browser ask for a password.
 */
export function useLogOut() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => answerOf(api.DELETE('/v1/session')),
    onSuccess: () => queries.clear(),
  });
}
