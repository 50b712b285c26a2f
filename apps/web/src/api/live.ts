import { useQueryClient, type QueryClient } from '@tanstack/react-query';
import { useEffect, useSyncExternalStore } from 'react';
import { useHasRoute } from './routes';

/** Under whichever name an event comes, it says the same: look again. */
const eventNames = ['message', 'job', 'state', 'progress', 'result'];

/** A storm of events is one look at a list. */
const lookAgainMs = 150;

/** After an answer that a browser takes for the end. */
const openAgainMs = 15_000;

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
    const lists = onceIn(lookAgainMs, () => refreshLists(queries));
    return keepOpen('/v1/events', ({ data }) => {
      const { id } = JSON.parse(data) as { id?: string };
      if (id !== undefined) void queries.invalidateQueries({ queryKey: ['job', id] });
      lists();
    });
  }, [hasEvents, queries]);
}

/**
 * A browser comes back by itself when a stream ends, and gives up for good where the answer is none: after a proxy's
 * 502, say. Then a new one is opened.
 * @returns what ends it
 */
function keepOpen(url: string, hear: (event: MessageEvent<string>) => void): () => void {
  let source: EventSource;
  let again: ReturnType<typeof setTimeout> | undefined;
  const open = (): void => {
    source = new EventSource(url);
    source.onopen = () => setOpen(true);
    // The server has no stream for us now, and says when to come back.
    source.addEventListener('unavailable', () => setOpen(false));
    source.onerror = () => {
      setOpen(false);
      if (source.readyState === EventSource.CLOSED) again = setTimeout(open, openAgainMs);
    };
    for (const name of eventNames) source.addEventListener(name, hear);
  };
  open();
  return () => {
    clearTimeout(again);
    source.close();
    setOpen(false);
  };
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
