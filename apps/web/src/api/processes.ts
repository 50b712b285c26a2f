import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { ask } from './client';
import { useHasRoute } from './routes';

/** A process of the system, as its supervisor reports it. Production has no such route. */
export interface SupervisedProcess {
  readonly name: string;
  readonly state: 'running' | 'starting' | 'stopped';
  readonly restarts: number;
}

export type ProcessAction = 'kill' | 'stop' | 'start';

export function useProcesses() {
  const hasRoute = useHasRoute()('GET /dev/processes');
  return useQuery({
    queryKey: ['processes'],
    queryFn: async () => ((await ask('/dev/processes')).body as { items: SupervisedProcess[] }).items,
    enabled: hasRoute,
    refetchInterval: 1_000,
  });
}

export function actOn(name: string, action: ProcessAction): Promise<unknown> {
  return ask(`/dev/processes/${name}/${action}`, { method: 'POST' });
}

export function useProcessAction() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ name, action }: { name: string; action: ProcessAction }) => actOn(name, action),
    onSettled: () => queries.invalidateQueries({ queryKey: ['processes'] }),
  });
}
