import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from 'react-router';
import { answerOf, api } from '../api/client';
import { useJobHistory } from '../api/job-history';
import { isFinal, useJob, type Job, type JobState } from '../api/jobs';
import { refreshLists } from '../api/live';
import { JobPath } from '../jobs/job-path';
import { JobResult } from '../jobs/job-result';
import { JobTrace } from '../jobs/job-trace';
import { Icon } from '../parts/icon';
import { Page } from '../parts/page';
import { ProblemNote } from '../parts/problem-note';
import { StateBadge } from '../parts/state-badge';
import { useText } from '../text/language';
import { useTime } from '../text/time';

export function JobView() {
  const text = useText();
  const { id } = useParams();
  const { data: job, error } = useJob(id);
  const back = (
    <Link className="back" to="/app/jobs">
      <Icon name="back" />
      {text.job.back}
    </Link>
  );
  if (!job) {
    return (
      <Page title={text.jobs.title} action={back}>
        {error ? <ProblemNote error={error} /> : <p className="quiet">{text.loading}</p>}
      </Page>
    );
  }
  return (
    <Page title={job.kind} action={back} lead={<code className="whole-id">{job.id}</code>}>
      <section className="card" aria-labelledby="job-path">
        <div className="card-head">
          <h2 id="job-path">{text.send.pathTitle}</h2>
          <StateBadge state={job.state} />
        </div>
        <ProblemNote error={error} />
        <JobPath key={job.id} job={job} isStale={error !== null} />
        {job.state === 'active' && job.progress.percent > 0 && (
          <div className="progress">
            <progress max={100} value={job.progress.percent} aria-label={text.job.progress} />
            <span>
              {job.progress.percent} % {job.progress.note}
            </span>
          </div>
        )}
        {job.error && (
          <div className="note note-bad">
            <strong>{isFinal(job) ? text.states[job.state] : text.job.error}</strong>
            <p>
              <code>{job.error.code}</code> {job.error.message}
            </p>
          </div>
        )}
        <Actions job={job} />
      </section>
      <div className="halves">
        <Details job={job} />
        <JobResult job={job} />
      </div>
      <JobTrace job={job} />
      <History job={job} />
    </Page>
  );
}

/** The actions that the current state of the job allows. */
function Actions({ job }: { job: Job }) {
  const text = useText();
  const queries = useQueryClient();
  const cancel = () => answerOf(api.POST('/v1/jobs/{id}/cancel', { params: { path: { id: job.id } } }));
  const redrive = () => answerOf(api.POST('/v1/dead-letters/redrive', { body: { ids: [job.id] } }));
  const action = useMutation({
    mutationFn: async (act: () => Promise<unknown>) => act(),
    onSettled: () => {
      void queries.invalidateQueries({ queryKey: ['job', job.id] });
      refreshLists(queries);
    },
  });
  if (job.state === 'completed' || job.state === 'cancelled') return null;
  return (
    <div className="actions">
      {!isFinal(job) && (
        <button type="button" onClick={() => action.mutate(cancel)} disabled={action.isPending}>
          {text.job.cancel}
        </button>
      )}
      {job.state === 'failed' && (
        <button type="button" onClick={() => action.mutate(redrive)} disabled={action.isPending}>
          {text.job.redrive}
        </button>
      )}
      <ProblemNote error={action.error} />
    </div>
  );
}

function Details({ job }: { job: Job }) {
  const text = useText();
  const time = useTime();
  const moments = [
    [text.job.accepted, job.createdAt],
    [text.job.due, job.runAt],
    [text.job.started, job.startedAt],
    [text.job.ended, job.finishedAt],
  ] as const;
  return (
    <section className="card" aria-labelledby="details">
      <h2 id="details">{text.job.details}</h2>
      <dl className="details">
        <div>
          <dt>{text.job.broker}</dt>
          <dd>{job.broker}</dd>
        </div>
        <div>
          <dt>{text.job.attempts}</dt>
          <dd>{text.jobs.attempt(job.attempt, job.maxAttempts)}</dd>
        </div>
        {moments.map(
          ([name, moment]) =>
            moment !== null && (
              <div key={name}>
                <dt>{name}</dt>
                <dd>
                  <time dateTime={moment}>{time.at(moment)}</time>
                </dd>
              </div>
            ),
        )}
      </dl>
    </section>
  );
}

function History({ job }: { job: Job }) {
  const text = useText();
  const events = useJobHistory(job);
  if (!events || events.length === 0) return null;
  return (
    <section className="card" aria-labelledby="history">
      <h2 id="history">{text.job.history}</h2>
      <ol className="history">
        {events.map(({ key, type, data }) => (
          <li key={key}>
            <strong>{type === 'state' ? text.states[data['state'] as JobState] : text.job[type]}</strong>{' '}
            <code>{JSON.stringify(data)}</code>
          </li>
        ))}
      </ol>
    </section>
  );
}
