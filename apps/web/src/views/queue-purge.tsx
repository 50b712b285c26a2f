import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { answerOf, api } from '../api/client';
import { refreshLists } from '../api/live';
import { useQueues } from '../api/queues';
import { useHasRoute } from '../api/routes';
import { useIsOperator } from '../api/session';
import { SelectField, TextField } from '../parts/field';
import { ServerForm } from '../parts/server-form';
import { useText } from '../text/language';

/** Cancels all jobs of a queue that do not run now. Empty for a caller who may not do that. */
export function QueuePurge() {
  const { queues: text } = useText();
  const queues = useQueues();
  const hasRoute = useHasRoute()('POST /v1/queues/{queue}/purge');
  const isOperator = useIsOperator();
  const [typed, setTyped] = useState('');
  const { purge, cancelled, stop } = usePurge();

  async function send({ queue, confirm }: Record<string, unknown>): Promise<string> {
    const outcome = await purge(String(queue), typeof confirm === 'string' ? confirm : '');
    setTyped(''); // A second click purges nothing.
    return outcome.hasMore ? text.purgeStopped(outcome.cancelled) : text.purged(outcome.cancelled);
  }

  if (!queues || !hasRoute || !isOperator) return null;
  return (
    <section className="card spaced" aria-labelledby="purge">
      <h2 id="purge">{text.purgeTitle}</h2>
      <p>{text.purgeLead}</p>
      <p className="note">{text.pauseFirst}</p>
      <ServerForm submitLabel={text.purge} onSubmit={send}>
        <div className="field-pair">
          <SelectField label={text.toPurge} name="queue">
            {queues.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </SelectField>
          <TextField
            label={text.confirm}
            hint={text.confirmHint}
            name="confirm"
            value={typed}
            onChange={({ target }) => setTyped(target.value)}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
          />
        </div>
      </ServerForm>
      <div className="actions" aria-live="polite">
        {cancelled !== undefined && <span>{text.purgedSoFar(cancelled)}</span>}
        {stop && (
          <button type="button" className="button-small" onClick={stop}>
            {text.stopPurge}
          </button>
        )}
      </div>
    </section>
  );
}

/**
 * One request cancels as many jobs as it can in its time. `purge` repeats it until no job is left, `stop` is called or
 * the page shows another view.
 * @returns `cancelled`, the jobs of all requests so far, while one more is needed; `stop`, while one is sent
 */
function usePurge() {
  const queries = useQueryClient();
  const stopping = useRef<AbortController>(undefined);
  const [cancelled, setCancelled] = useState<number>();
  const stop = () => stopping.current?.abort();
  useEffect(() => stop, []);
  const purging = useMutation({
    mutationFn: async ({ queue, confirm }: { queue: string; confirm: string }) => {
      const { signal } = (stopping.current = new AbortController());
      const sum = { cancelled: 0, hasMore: true };
      setCancelled(undefined);
      while (sum.hasMore && !signal.aborted) {
        const params = { path: { queue } };
        const answer = await answerOf(api.POST('/v1/queues/{queue}/purge', { params, body: { confirm } }));
        sum.cancelled += answer.cancelled;
        sum.hasMore = answer.hasMore;
        setCancelled(sum.cancelled);
      }
      setCancelled(undefined);
      return sum;
    },
    onSettled: () => refreshLists(queries),
  });
  return {
    purge: (queue: string, confirm: string) => purging.mutateAsync({ queue, confirm }),
    cancelled,
    stop: purging.isPending && cancelled !== undefined ? stop : undefined,
  };
}
