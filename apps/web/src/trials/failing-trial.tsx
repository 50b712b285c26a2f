import { useMutation } from '@tanstack/react-query';
import { Link } from 'react-router';
import { postJob } from '../api/jobs';
import { WatchedJob } from '../jobs/watched-job';
import { ProblemNote } from '../parts/problem-note';
import { useText } from '../text/language';

/** Addresses that the catcher refuses: `mailbox-refusals.ts` of the email worker. */
const recipients = { busy: 'busy@example.invalid', refused: 'nobody@example.invalid' };

export function FailingTrial() {
  const { failing: text } = useText().trials;
  const trial = useMutation({
    mutationFn: async (to: string) => (await postJob('/v1/emails', { to, subject: 'Refused', text: 'Hello' })).job,
  });
  return (
    <section className="card trial" aria-labelledby="failing">
      <h2 id="failing">{text.title}</h2>
      <p>{text.lead}</p>
      <div className="choices">
        <div>
          <button type="button" onClick={() => trial.mutate(recipients.busy)} disabled={trial.isPending}>
            {text.busy}
          </button>
          <p className="quiet">{text.busyNote}</p>
        </div>
        <div>
          <button type="button" onClick={() => trial.mutate(recipients.refused)} disabled={trial.isPending}>
            {text.refused}
          </button>
          <p className="quiet">{text.refusedNote}</p>
        </div>
      </div>
      <ProblemNote error={trial.error} />
      {trial.data && (
        <WatchedJob accepted={trial.data}>
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
