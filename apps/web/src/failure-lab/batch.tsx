import { useQuery } from '@tanstack/react-query';
import { answerOf, api } from '../api/client';
import { postJob, type Job } from '../api/jobs';
import { isEffectOf, useMailbox } from '../api/mailbox';
import { useText } from '../text/language';

/** Sends emails concurrently. @returns the accepted jobs */
export async function sendEmails(count: number): Promise<Job[]> {
  const sent = await Promise.all(
    Array.from({ length: count }, (_, index) =>
      postJob('/v1/emails', { to: `user${index + 1}@example.com`, subject: 'Failure lab', text: 'Hello' }),
    ),
  );
  return sent.map(({ job }) => job);
}

/** Reads one page of the newest jobs, and each job that the page does not contain with a request of its own. */
async function readBatch(ids: readonly string[]): Promise<Job[]> {
  const { items } = await answerOf(api.GET('/v1/jobs', { params: { query: { limit: 100 } } }));
  const listed = new Map(items.map((job) => [job.id, job]));
  return Promise.all(
    ids.map(async (id) => listed.get(id) ?? (await answerOf(api.GET('/v1/jobs/{id}', { params: { path: { id } } })))),
  );
}

/** Shows one dot for each job of an experiment, and the number of emails that were sent. */
export function Batch({ accepted }: { accepted: readonly Job[] }) {
  const { failureLab } = useText();
  const ids = accepted.map(({ id }) => id);
  const { data = [] } = useQuery({
    queryKey: ['batch', ids],
    queryFn: () => readBatch(ids),
    refetchInterval: ({ state }) => (state.data?.every(({ state: is }) => is === 'completed') ? 5_000 : 500),
  });
  const mailbox = useMailbox().data ?? [];
  if (accepted.length === 0) return null;
  // Until the first answer arrives, the jobs are shown as they were accepted.
  const jobs = accepted.map((job) => data.find(({ id }) => id === job.id) ?? job);
  const completed = jobs.filter(({ state }) => state === 'completed').length;
  const count = (at: Job['place']) => jobs.filter(({ place }) => place === at).length;
  const [inOutbox, atBroker] = [count('outbox'), count('broker')];
  const effects = ids.flatMap((id) => mailbox.filter(isEffectOf(id)).map(({ messageId }) => messageId));
  const sent = new Set(effects).size;
  return (
    <div className="batch">
      <div className="dots" role="img" aria-label={failureLab.batchDots}>
        {jobs.map(({ id, state }) => (
          <span key={id} className={`dot dot-${state}`} />
        ))}
      </div>
      <p className="verdict" role="status">
        {failureLab.batch(ids.length, completed, sent, effects.length - sent)}
      </p>
      {inOutbox + atBroker > 0 && <p className="quiet">{failureLab.places(inOutbox, atBroker)}</p>}
    </div>
  );
}
