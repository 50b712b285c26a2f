import { useQuery } from '@tanstack/react-query';
import { ask } from './client';
import { useIsLive } from './live';
import { useHasRoute } from './routes';

/** A message in the built-in mailbox. Production has no mailbox. */
export interface CaughtMessage {
  /** Present if the message is long. Then the list has only the beginning of its texts. */
  readonly id?: string;
  readonly channel: 'email' | 'sms';
  readonly to: string;
  readonly subject?: string;
  readonly text: string;
  readonly html?: string;
  readonly messageId: string;
  /** The job that sent the message. */
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

/** Reads the complete texts of a message if the list has only their beginning. */
export function useWhole(message: CaughtMessage, isWanted: boolean) {
  return useQuery({
    queryKey: ['letter', message.id],
    queryFn: async () => (await ask(`/dev/mailbox/${message.id}`)).body as Pick<CaughtMessage, 'text' | 'html'>,
    enabled: isWanted && message.id !== undefined,
    staleTime: Infinity,
    placeholderData: message,
  });
}

/** Whether this job sent the message. */
export const isEffectOf = (id: string) => (message: CaughtMessage) => message.jobId === id;
