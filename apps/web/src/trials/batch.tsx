import { useQuery } from '@tanstack/react-query';
import { answerOf, api } from '../api/client';
import { postJob, type Job } from '../api/jobs';
import { isEffectOf, useMailbox } from '../api/mailbox';
import { useText } from '../text/language';

/** A few emails at once. @returns the jobs that were promised */
export async function sendEmails(count: number): Promise<Job[]> {
  const sent = await Promise.all(
    Array.from({ length: count }, (_, index) =>
      postJob('/v1/emails', { to: `user${index + 1}@example.com`, subject: 'Whatever happens', text: 'Hello' }),
    ),
  );
  return sent.map(({ job }) => job);
}

/** What has become of the jobs of a trial, one dot each. */
export function Batch({ accepted }: { accepted: readonly Job[] }) {
  const { trials } = useText();
  const ids = accepted.map(({ id }) => id);
  const { data = [] } = useQuery({
    queryKey: ['batch', ids],
    queryFn: async () => {
      const { items } = await answerOf(api.GET('/v1/jobs', { params: { query: { limit: 100 } } }));
      return items.filter(({ id }) => ids.includes(id));
    },
    refetchInterval: ({ state }) => (state.data?.every(({ state: is }) => is === 'completed') ? 5_000 : 500),
  });
  const mailbox = useMailbox().data ?? [];
  if (accepted.length === 0) return null;
  const stateOf = (id: string) => data.find((job) => job.id === id)?.state ?? 'queued';
  const completed = ids.filter((id) => stateOf(id) === 'completed').length;
  const effects = ids.flatMap((id) => mailbox.filter(isEffectOf(id)).map(({ messageId }) => messageId));
  const sent = new Set(effects).size;
  return (
    <div className="batch">
      <div className="dots" role="img" aria-label={trials.batchDots}>
        {ids.map((id) => (
          <span key={id} className={`dot dot-${stateOf(id)}`} />
        ))}
      </div>
      <p className="verdict" role="status">
        {trials.batch(ids.length, completed, sent, effects.length - sent)}
      </p>
    </div>
  );
}
