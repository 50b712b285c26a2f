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

/** The poll interval in ms, without the event stream and beside it. */
const pollMs = { alone: 700, behindEvents: 10_000 };

export interface Accepted {
  readonly job: Job;
  readonly status: number;
  readonly replayed: boolean;
}

/**
 * Calls a route that makes a job. All of them accept a body and an idempotency key and return the job.
 * @throws ProblemError if the API rejects the request
 */
export async function postJob(path: string, body: unknown, idempotencyKey?: string): Promise<Accepted> {
  const headers = idempotencyKey ? { 'Idempotency-Key': idempotencyKey } : {};
  const { body: job, response } = await ask(path, { method: 'POST', body, headers });
  return {
    job: job as Job,
    status: response.status,
    replayed: response.headers.get('Idempotency-Replayed') === 'true',
  };
}

/** Reads a job and keeps it up to date until the job has ended. */
export function useJob(id: string | undefined) {
  const isLive = useIsLive();
  return useQuery({
    queryKey: ['job', id],
    queryFn: () => answerOf(api.GET('/v1/jobs/{id}', { params: { path: { id: id! } } })),
    enabled: id !== undefined,
    refetchInterval: ({ state: { data } }) => {
      if (data && isFinal(data)) return false;
      // The stream has no event for publishing. So the page polls while the job is in the outbox.
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
