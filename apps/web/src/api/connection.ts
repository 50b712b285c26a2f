import { useQuery } from '@tanstack/react-query';
import { ask } from './client';
import { useIsLive } from './live';

/** How the page learns of changes: the server pushes them, the page asks for them, or it learns of none. */
export type Connection = 'pushed' | 'polled' | 'lost';

/** Behind the stream: one whose other end is frozen or cut off stays open for the browser. */
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
