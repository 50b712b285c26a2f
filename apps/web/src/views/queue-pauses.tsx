import { useMutation } from '@tanstack/react-query';
import { answerOf, api } from '../api/client';
import { useQueues, useRefreshQueues } from '../api/queues';
import { useIsOperator } from '../api/session';
import { SelectField, TextField } from '../parts/field';
import { ProblemNote } from '../parts/problem-note';
import { ServerForm } from '../parts/server-form';
import { useText } from '../text/language';
import { useTime } from '../text/time';

/** Which queues are paused; for an operator, also forms to pause and resume one. Empty for a caller who may not see it. */
export function QueuePauses() {
  const { queues: text } = useText();
  const time = useTime();
  const queues = useQueues();
  const isOperator = useIsOperator();
  const refresh = useRefreshQueues();
  const resume = useMutation({
    mutationFn: (queue: string) => answerOf(api.POST('/v1/queues/{queue}/resume', { params: { path: { queue } } })),
    onSettled: refresh,
  });

  async function pause({ queue, reason }: Record<string, unknown>): Promise<undefined> {
    const params = { path: { queue: String(queue) } };
    await answerOf(
      api.POST('/v1/queues/{queue}/pause', { params, body: { reason: typeof reason === 'string' ? reason : '' } }),
    );
    await refresh();
  }

  if (!queues) return null;
  const running = queues.filter((queue) => queue.pause === null);
  return (
    <section className="card spaced" aria-labelledby="queues">
      <h2 id="queues">{text.title}</h2>
      <p>{text.lead}</p>
      {queues.flatMap(({ name, pause: paused }) =>
        paused === null
          ? []
          : [
              <div key={name} className="note note-bad">
                <strong>{text.paused(name)}</strong>
                <p>
                  <time dateTime={paused.at}>{time.at(paused.at)}</time> <q>{paused.reason}</q>
                </p>
                {isOperator && (
                  <button type="button" onClick={() => resume.mutate(name)} disabled={resume.isPending}>
                    {text.resume(name)}
                  </button>
                )}
              </div>,
            ],
      )}
      <ProblemNote error={resume.error} />
      {isOperator && running.length > 0 && (
        <ServerForm submitLabel={text.pause} onSubmit={pause}>
          <SelectField label={text.queue} name="queue">
            {running.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </SelectField>
          <TextField label={text.reason} name="reason" />
        </ServerForm>
      )}
    </section>
  );
}
