import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import type { Job } from '../api/jobs';
import { actOn } from '../api/processes';
import { ProblemNote } from '../parts/problem-note';
import { useText } from '../text/language';
import { Batch, sendEmails } from './batch';

const half = 10;

export function KillTrial() {
  const { kill: text } = useText().trials;
  const [accepted, setAccepted] = useState<readonly Job[]>([]);
  const trial = useMutation({
    mutationFn: async () => {
      setAccepted([]);
      const before = await sendEmails(half);
      setAccepted(before);
      await actOn('email-worker', 'kill');
      setAccepted([...before, ...(await sendEmails(half))]);
    },
  });
  return (
    <section className="card trial" aria-labelledby="kill-trial">
      <h2 id="kill-trial">{text.title}</h2>
      <p>{text.lead}</p>
      <button type="button" onClick={() => trial.mutate()} disabled={trial.isPending}>
        {text.start}
      </button>
      <ProblemNote error={trial.error} />
      <Batch accepted={accepted} />
    </section>
  );
}
