import type { ReactNode } from 'react';
import { useJob, type Job } from '../api/jobs';
import { StateBadge } from '../parts/state-badge';
import { JobPath } from './job-path';

/** A job as it is right now: its state, its way, and what went wrong. */
export function WatchedJob({ accepted, children }: { accepted: Job; children: (job: Job) => ReactNode }) {
  const job = useJob(accepted.id).data ?? accepted;
  return (
    <>
      <p className="sent-line">
        <StateBadge state={job.state} />
        {children(job)}
      </p>
      <JobPath key={job.id} job={job} />
      {job.error && (
        <p className="fault">
          <code>{job.error.code}</code> {job.error.message}
        </p>
      )}
    </>
  );
}
