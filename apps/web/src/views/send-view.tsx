import { useState } from 'react';
import { Link } from 'react-router';
import { useJob, useJobs, type Job } from '../api/jobs';
import { useJobRoutes } from '../api/routes';
import { JobForm, type Sent } from '../jobs/job-form';
import { JobResult } from '../jobs/job-result';
import { WatchedJob } from '../jobs/watched-job';
import { JobRow } from '../parts/job-rows';
import { Listing } from '../parts/listing';
import { Page } from '../parts/page';
import { known, useText } from '../text/language';

export function SendView() {
  const text = useText();
  const routes = useJobRoutes();
  const [wanted, want] = useState<string>();
  const [sent, setSent] = useState<Sent>();
  const chosen = routes.find(({ kind }) => kind === wanted) ?? routes[0];
  return (
    <Page title={text.send.title} lead={text.send.lead}>
      <div className="send">
        <section className="card" aria-label={text.send.title}>
          <fieldset className="segments">
            <legend className="visually-hidden">{text.send.kindsLabel}</legend>
            {routes.map(({ kind }) => (
              <label key={kind}>
                <input
                  type="radio"
                  name="kind-of-job"
                  value={kind}
                  checked={kind === chosen?.kind}
                  onChange={() => {
                    want(kind);
                    setSent(undefined);
                  }}
                />
                <span>{known(text.send.kinds, kind) ?? kind}</span>
              </label>
            ))}
          </fieldset>
          {chosen && <JobForm key={chosen.kind} route={chosen} onSend={() => setSent(undefined)} onSent={setSent} />}
        </section>
        <div className="send-side">
          <section className="card" aria-labelledby="job-path">
            <h2 id="job-path">{text.send.pathTitle}</h2>
            {sent ? (
              <WatchedJob accepted={sent.job}>
                {({ id }) => (
                  <>
                    <span>{sent.replayed ? text.send.replayed : text.send.accepted(sent.ms)}</span>
                    <Link to={`/app/jobs/${id}`}>{text.send.open}</Link>
                  </>
                )}
              </WatchedJob>
            ) : (
              <p className="empty">{text.send.pathEmpty}</p>
            )}
          </section>
          {sent && <SentResult accepted={sent.job} />}
          <RecentJobs />
        </div>
      </div>
    </Page>
  );
}

/** The result of the sent job, as soon as there is one. */
function SentResult({ accepted }: { accepted: Job }) {
  const job = useJob(accepted.id).data ?? accepted;
  return <JobResult job={job} />;
}

function RecentJobs() {
  const text = useText();
  const jobs = useJobs({ limit: 5 });
  return (
    <section className="card" aria-labelledby="newest-jobs">
      <div className="card-head">
        <h2 id="newest-jobs">{text.send.recent}</h2>
        <Link to="/app/jobs">{text.send.all}</Link>
      </div>
      <Listing query={jobs} rows={jobs.data?.items} none={text.jobs.none}>
        {(job) => <JobRow key={job.id} job={job} />}
      </Listing>
    </section>
  );
}
