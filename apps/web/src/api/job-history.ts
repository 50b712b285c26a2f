import { useEffect, useState } from 'react';
import type { Job } from './jobs';
import { useHasRoute } from './routes';

/** One event of a job. */
export interface JobEvent {
  readonly key: string;
  readonly type: 'state' | 'progress' | 'result';
  readonly data: Readonly<Record<string, unknown>>;
}

const types = ['state', 'progress', 'result'] as const;

interface History {
  readonly of: string;
  readonly events: readonly JobEvent[];
}

/**
 * Reads the event stream of a job.
 * @returns all events of the job, oldest first; undefined if the server has no such stream
 */
export function useJobHistory({ id }: Pick<Job, 'id'>): readonly JobEvent[] | undefined {
  const hasStream = useHasRoute()('GET /v1/jobs/{id}/events');
  const [history, setHistory] = useState<History>({ of: id, events: [] });
  useEffect(() => {
    if (!hasStream) return undefined;
    const source = new EventSource(`/v1/jobs/${id}/events`);
    for (const type of types) {
      source.addEventListener(type, ({ data, lastEventId }: MessageEvent<string>) => {
        const event = { key: `${type} ${lastEventId}`, type, data: JSON.parse(data) as JobEvent['data'] };
        setHistory(({ of, events }) => {
          const known = of === id ? events : [];
          return { of: id, events: known.some(({ key }) => key === event.key) ? known : [...known, event] };
        });
        // The server ends the stream after a final state. Without this line the browser would reconnect for ever.
        if (['completed', 'failed', 'cancelled'].includes(String(event.data['state']))) source.close();
      });
    }
    return () => source.close();
  }, [hasStream, id]);
  if (!hasStream) return undefined;
  return history.of === id ? history.events : [];
}
