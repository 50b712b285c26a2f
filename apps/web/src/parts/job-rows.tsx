import { Link } from 'react-router';
import type { Job } from '../api/jobs';
import { useText } from '../text/language';
import { useTime } from '../text/time';
import { StateBadge } from './state-badge';

export function JobRow({ job }: { job: Job }) {
  const text = useText();
  const time = useTime();
  return (
    <li>
      <Link className="row job-row" to={`/app/jobs/${job.id}`}>
        <span className="row-main">
          <strong>{job.kind}</strong>
          <code>{job.id.slice(-12)}</code>
        </span>
        <StateBadge state={job.state} />
        <span className="row-side">
          {job.broker}
          {job.attempt > 1 && ` · ${text.jobs.attempt(job.attempt, job.maxAttempts)}`}
        </span>
        <time className="row-side row-end" dateTime={job.createdAt}>
          {time.at(job.createdAt)}
        </time>
      </Link>
    </li>
  );
}
