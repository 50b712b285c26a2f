import { useQuery } from '@tanstack/react-query';
import { ask } from './client';
import { useIsLive } from './live';
import { useHasRoute } from './routes';

/** A message that the built-in catcher took; production has no mailbox. */
export interface CaughtMessage {
  /** Of a long one, of which the list has the beginning. */
  readonly id?: string;
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

/** The texts of a message, whole where the list has their beginnings only. */
export function useWhole(message: CaughtMessage, isWanted: boolean) {
  return useQuery({
    queryKey: ['letter', message.id],
    queryFn: async () => (await ask(`/dev/mailbox/${message.id}`)).body as Pick<CaughtMessage, 'text' | 'html'>,
    enabled: isWanted && message.id !== undefined,
    staleTime: Infinity,
    placeholderData: message,
  });
}

/** Whether a caught message is the effect of this job. */
export const isEffectOf = (id: string) => (message: CaughtMessage) => message.jobId === id;
