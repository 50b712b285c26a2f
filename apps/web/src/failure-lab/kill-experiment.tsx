import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import type { Job } from '../api/jobs';
import { actOn } from '../api/processes';
import { ProblemNote } from '../parts/problem-note';
import { useText } from '../text/language';
import { Batch, sendEmails } from './batch';

const half = 10;

export function KillExperiment() {
  const { kill: text } = useText().failureLab;
  const [accepted, setAccepted] = useState<readonly Job[]>([]);
  const experiment = useMutation({
    mutationFn: async () => {
      setAccepted([]);
      const before = await sendEmails(half);
      setAccepted(before);
      await actOn('email-worker', 'kill');
      setAccepted([...before, ...(await sendEmails(half))]);
    },
  });
  return (
    <section className="card experiment" aria-labelledby="kill-experiment">
      <h2 id="kill-experiment">{text.title}</h2>
      <p>{text.lead}</p>
      <button type="button" onClick={() => experiment.mutate()} disabled={experiment.isPending}>
        {text.start}
      </button>
      <ProblemNote error={experiment.error} />
      <Batch accepted={accepted} />
    </section>
  );
}
