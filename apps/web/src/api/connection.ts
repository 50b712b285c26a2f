import { useQuery } from '@tanstack/react-query';
import { ask } from './client';
import { useIsLive } from './live';

/** How the page gets changes: the server pushes them, the page polls, or the API does not answer. */
export type Connection = 'pushed' | 'polled' | 'lost';

/**
 * The interval of the readiness check in ms. The page also checks while the event stream is open: if the server freezes
 * or the connection is cut, the browser keeps the stream open.
 */
const askMs = { behindEvents: 10_000, alone: 2_000 };

export function useConnection(): Connection {
  const isLive = useIsLive();
  const { error } = useQuery({
    queryKey: ['ready'],
    queryFn: () => ask('/health/ready'),
    refetchInterval: ({ state }) => (isLive && !state.error ? askMs.behindEvents : askMs.alone),
    retry: false,
  });
  if (error) return 'lost';
  return isLive ? 'pushed' : 'polled';
}
