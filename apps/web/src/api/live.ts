import { useQueryClient, type QueryClient } from '@tanstack/react-query';
import { useEffect, useSyncExternalStore } from 'react';
import { useHasRoute } from './routes';

/** Under whichever name an event comes, it says the same: look again. */
const eventNames = ['message', 'job', 'state', 'progress', 'result'];

/** A storm of events is one look at a list. */
const lookAgainMs = 150;

const live = { isOpen: false, listeners: new Set<() => void>() };

function setOpen(isOpen: boolean): void {
  live.isOpen = isOpen;
  for (const listener of live.listeners) listener();
}

/** Whether the server pushes. Where it does not, the queries ask often enough by themselves. */
export function useIsLive(): boolean {
  return useSyncExternalStore(
    (listener) => {
      live.listeners.add(listener);
      return () => live.listeners.delete(listener);
    },
    () => live.isOpen,
  );
}

/** One stream for the whole page. An event may repeat, so it only says which job to read again. */
export function useLiveJobs(): void {
  const queries = useQueryClient();
  const hasEvents = useHasRoute()('GET /v1/events');
  useEffect(() => {
    if (!hasEvents) return undefined;
    const source = new EventSource('/v1/events');
    const lists = onceIn(lookAgainMs, () => refreshLists(queries));
    source.onopen = () => setOpen(true);
    source.onerror = () => setOpen(false);
    for (const name of eventNames) {
      source.addEventListener(name, ({ data }: MessageEvent<string>) => {
        const { id } = JSON.parse(data) as { id?: string };
        if (id !== undefined) void queries.invalidateQueries({ queryKey: ['job', id] });
        lists();
      });
    }
    return () => {
      source.close();
      setOpen(false);
    };
  }, [hasEvents, queries]);
}

/** Everything that changes when a job does. */
export function refreshLists(queries: QueryClient): void {
  for (const key of ['jobs', 'mailbox', 'dead-letters', 'batch']) {
    void queries.invalidateQueries({ queryKey: [key] });
  }
}

function onceIn(ms: number, act: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      act();
    }, ms);
  };
}
