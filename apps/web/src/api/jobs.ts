import { useQuery } from '@tanstack/react-query';
import { answerOf, api, ask } from './client';
import { useIsLive } from './live';
import type { paths } from './schema';

export type Job = paths['/v1/jobs/{id}']['get']['responses'][200]['content']['application/json'];
export type JobState = Job['state'];

export const jobStates = [
  'waiting',
  'queued',
  'scheduled',
  'active',
  'retrying',
  'completed',
  'failed',
  'cancelled',
] as const satisfies readonly JobState[];

export const isFinal = ({ state }: Job) => state === 'completed' || state === 'failed' || state === 'cancelled';

/** How often to ask where nothing pushes, and behind what pushes. */
const pollMs = { alone: 700, behindEvents: 10_000 };

export interface Accepted {
  readonly job: Job;
  readonly status: number;
  readonly replayed: boolean;
}

/** Any of the routes that make a job: they all take a body and a key, and answer with the job. */
export async function postJob(path: string, body: unknown, idempotencyKey?: string): Promise<Accepted> {
  const headers = idempotencyKey ? { 'Idempotency-Key': idempotencyKey } : {};
  const { body: job, response } = await ask(path, { method: 'POST', body, headers });
  return {
    job: job as Job,
    status: response.status,
    replayed: response.headers.get('Idempotency-Replayed') === 'true',
  };
}

/** A job, kept up to date until it has ended. */
export function useJob(id: string | undefined) {
  const isLive = useIsLive();
  return useQuery({
    queryKey: ['job', id],
    queryFn: () => answerOf(api.GET('/v1/jobs/{id}', { params: { path: { id: id! } } })),
    enabled: id !== undefined,
    refetchInterval: ({ state: { data } }) => {
      if (data && isFinal(data)) return false;
      // Publishing is not an event of the ledger: whether a job is still in the outbox has to be asked.
      return isLive && data?.place !== 'outbox' ? pollMs.behindEvents : pollMs.alone;
    },
  });
}

export interface JobFilter {
  readonly state?: JobState;
  readonly kind?: string;
  readonly limit?: number;
  readonly cursor?: string;
}

export function useJobs(filter: JobFilter) {
  const isLive = useIsLive();
  return useQuery({
    queryKey: ['jobs', filter],
    queryFn: () => answerOf(api.GET('/v1/jobs', { params: { query: filter } })),
    refetchInterval: isLive ? pollMs.behindEvents : pollMs.alone,
    placeholderData: (before) => before,
  });
}
