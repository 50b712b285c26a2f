import { useQueryClient, type QueryClient } from '@tanstack/react-query';
import { useEffect, useSyncExternalStore } from 'react';
import { useHasRoute } from './routes';

/** The names of the stream's events. Each of them has the same meaning: read the job again. */
const eventNames = ['message', 'job', 'state', 'progress', 'result'];

/** The wait in ms before the lists are read again. Events within this time cause one read. */
const lookAgainMs = 150;

/** The wait in ms before the page opens a stream that the browser has closed for good. */
const openAgainMs = 15_000;

const live = { isOpen: false, listeners: new Set<() => void>() };

function setOpen(isOpen: boolean): void {
  live.isOpen = isOpen;
  for (const listener of live.listeners) listener();
}

/** Whether the event stream is open. While it is not, the queries poll at a short interval. */
export function useIsLive(): boolean {
  return useSyncExternalStore(
    (listener) => {
      live.listeners.add(listener);
      return () => live.listeners.delete(listener);
    },
    () => live.isOpen,
  );
}

/** Opens one event stream for the whole page. An event may repeat, so it only says which job to read again. */
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
 * Keeps an event stream open. The browser reconnects when a stream ends. It closes the stream for good when the answer
 * is not a stream, such as a 502 of a proxy. Then this function opens a new one.
 * @returns a function that closes the stream
 */
function keepOpen(url: string, hear: (event: MessageEvent<string>) => void): () => void {
  let source: EventSource;
  let again: ReturnType<typeof setTimeout> | undefined;
  const open = (): void => {
    source = new EventSource(url);
    source.onopen = () => setOpen(true);
    // The server can open no stream now. Its answer tells the browser when to reconnect.
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

/** Invalidates every list that a change of a job can affect. */
export function refreshLists(queries: QueryClient): void {
  for (const key of ['jobs', 'mailbox', 'dead-letters', 'batch']) {
    void queries.invalidateQueries({ queryKey: [key] });
  }
}

/** Returns a function that runs `act` once, `ms` after its first call. Calls in between do nothing. */
function onceIn(ms: number, act: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      act();
    }, ms);
  };
}
