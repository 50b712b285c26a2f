import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Job } from '../api/jobs';
import { actOn, useProcesses } from '../api/processes';
import { ProblemNote } from '../parts/problem-note';
import { useText } from '../text/language';
import { Batch, sendEmails } from './batch';

export function RelayExperiment() {
  const { relay: text } = useText().failureLab;
  const queries = useQueryClient();
  const isStopped = useProcesses().data?.find(({ name }) => name === 'relay')?.state === 'stopped';
  const [accepted, setAccepted] = useState<readonly Job[]>([]);
  const stop = async () => {
    setAccepted([]);
    await actOn('relay', 'stop');
    setAccepted(await sendEmails(10));
  };
  const start = () => actOn('relay', 'start');
  const action = useMutation({
    mutationFn: async (act: () => Promise<unknown>) => act(),
    onSettled: () => queries.invalidateQueries({ queryKey: ['processes'] }),
  });
  return (
    <section className="card experiment" aria-labelledby="relay-experiment">
      <h2 id="relay-experiment">{text.title}</h2>
      <p>{text.lead}</p>
      <div className="actions">
        <button type="button" onClick={() => action.mutate(stop)} disabled={action.isPending || isStopped}>
          {text.stop}
        </button>
        <button type="button" onClick={() => action.mutate(start)} disabled={action.isPending || !isStopped}>
          {text.start}
        </button>
      </div>
      <ProblemNote error={action.error} />
      <Batch accepted={accepted} />
    </section>
  );
}
