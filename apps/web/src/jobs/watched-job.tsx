import type { ReactNode } from 'react';
import { useJob, type Job } from '../api/jobs';
import { ProblemNote } from '../parts/problem-note';
import { StateBadge } from '../parts/state-badge';
import { JobPath } from './job-path';

/** A job as in the last answer of the API: its state, its path and its error. */
export function WatchedJob({ accepted, children }: { accepted: Job; children: (job: Job) => ReactNode }) {
  const { data: job = accepted, error } = useJob(accepted.id);
  return (
    <>
      <p className="sent-line">
        <StateBadge state={job.state} />
        {children(job)}
      </p>
      <ProblemNote error={error} />
      <JobPath key={job.id} job={job} isStale={error !== null} />
      {job.error && (
        <p className="fault">
          <code>{job.error.code}</code> {job.error.message}
        </p>
      )}
    </>
  );
}
