import { useMutation } from '@tanstack/react-query';
import { Link } from 'react-router';
import { postJob } from '../api/jobs';
import { WatchedJob } from '../jobs/watched-job';
import { ProblemNote } from '../parts/problem-note';
import { useText } from '../text/language';

/** Addresses that the built-in mailbox refuses; see `mail-transport.ts` of the email worker. */
const recipients = { busy: 'busy@example.invalid', refused: 'nobody@example.invalid' };

export function FailingExperiment() {
  const { failing: text } = useText().failureLab;
  const experiment = useMutation({
    mutationFn: async (to: string) => (await postJob('/v1/emails', { to, subject: 'Refused', text: 'Hello' })).job,
  });
  return (
    <section className="card experiment" aria-labelledby="failing">
      <h2 id="failing">{text.title}</h2>
      <p>{text.lead}</p>
      <div className="choices">
        <div>
          <button type="button" onClick={() => experiment.mutate(recipients.busy)} disabled={experiment.isPending}>
            {text.busy}
          </button>
          <p className="quiet">{text.busyNote}</p>
        </div>
        <div>
          <button type="button" onClick={() => experiment.mutate(recipients.refused)} disabled={experiment.isPending}>
            {text.refused}
          </button>
          <p className="quiet">{text.refusedNote}</p>
        </div>
      </div>
      <ProblemNote error={experiment.error} />
      {experiment.data && (
        <WatchedJob accepted={experiment.data}>
          {({ id, state }) => (
            <>
              <Link to={`/app/jobs/${id}`}>{id.slice(-12)}</Link>
              {state === 'failed' && <Link to="/app/dead-letters">{text.see}</Link>}
            </>
          )}
        </WatchedJob>
      )}
    </section>
  );
}
