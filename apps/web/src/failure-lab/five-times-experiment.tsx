import { useMutation } from '@tanstack/react-query';
import { Link } from 'react-router';
import { postJob } from '../api/jobs';
import { isEffectOf, useMailbox } from '../api/mailbox';
import { aKey } from '../jobs/option-fields';
import { ProblemNote } from '../parts/problem-note';
import { useText } from '../text/language';

const times = 5;

/** Sends concurrent requests with the same body and the same idempotency key. */
export function FiveTimesExperiment() {
  const { five: text } = useText().failureLab;
  const experiment = useMutation({
    mutationFn: () => {
      const key = aKey();
      const body = { to: 'ada@example.com', subject: 'Sent five times', text: `The idempotency key is ${key}` };
      return Promise.all(Array.from({ length: times }, () => postJob('/v1/emails', body, key)));
    },
  });
  const answers = experiment.data ?? [];
  const jobs = [...new Set(answers.map(({ job }) => job.id))];
  const mailbox = useMailbox().data ?? [];
  const effects = jobs.flatMap((id) => mailbox.filter(isEffectOf(id))).length;
  return (
    <section className="card experiment" aria-labelledby="five-times">
      <h2 id="five-times">{text.title}</h2>
      <p>{text.lead}</p>
      <button type="button" onClick={() => experiment.mutate()} disabled={experiment.isPending}>
        {answers.length === 0 ? text.start : text.again}
      </button>
      <ProblemNote error={experiment.error} />
      {answers.length > 0 && (
        <>
          <div className="scroll" tabIndex={0} role="group" aria-labelledby="five-times">
            <table className="answers">
              <thead>
                <tr>
                  <th scope="col">{text.request}</th>
                  <th scope="col">{text.answer}</th>
                </tr>
              </thead>
              <tbody>
                {answers.map(({ job, status, replayed }, index) => (
                  <tr key={index}>
                    <th scope="row">{index + 1}</th>
                    <td>
                      {status} <Link to={`/app/jobs/${job.id}`}>{job.id.slice(-12)}</Link>{' '}
                      <span className="quiet">{replayed ? text.replayed : text.first}</span>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          <p className="verdict" role="status">
            {text.verdict(jobs.length, effects)}
          </p>
        </>
      )}
    </section>
  );
}
