import { useQuery } from '@tanstack/react-query';
import { ask } from './client';
import { useIsLive } from './live';
import { useHasRoute } from './routes';

/** A message that the built-in catcher took; the OpenAPI document does not describe development routes. */
export interface CaughtMessage {
  readonly channel: 'email' | 'sms';
  readonly to: string;
  readonly subject?: string;
  readonly text: string;
  readonly html?: string;
  readonly messageId: string;
  /** Of the job that sent it. */
  readonly jobId: string | null;
  readonly at: string;
}

export function useMailbox() {
  const isLive = useIsLive();
  const hasRoute = useHasRoute()('GET /dev/mailbox');
  return useQuery({
    queryKey: ['mailbox'],
    queryFn: async () => ((await ask('/dev/mailbox')).body as { items: CaughtMessage[] }).items,
    enabled: hasRoute,
    refetchInterval: isLive ? 5_000 : 1_000,
  });
}

/** Whether a caught message is the effect of this job. */
export const isEffectOf = (id: string) => (message: CaughtMessage) => message.jobId === id;
