import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { answerOf, api } from './client';
import { useHasRoute } from './routes';

/** Who the caller is. Undefined until the server has answered. */
function useSession() {
  const hasRoute = useHasRoute();
  return useQuery({
    queryKey: ['session'],
    queryFn: () => answerOf(api.GET('/v1/session')),
    enabled: hasRoute('GET /v1/session'),
    staleTime: Infinity,
  }).data;
}

/** Whether there is a session to end. */
export function useHasSession(): boolean {
  return useSession()?.canEnd ?? false;
}

/** Whether the caller has the role operator, which admin includes. The page hides what the server would refuse. */
export function useIsOperator(): boolean {
  return useSession()?.roles.some((role) => role === 'operator' || role === 'admin') ?? false;
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
