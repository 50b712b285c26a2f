import type { CSSProperties, ReactNode } from 'react';
import type { Job } from '../api/jobs';
import { Icon, type IconName } from '../parts/icon';
import { useText } from '../text/language';
import { useTime } from '../text/time';
import { failedAttempt, isLeaseExpired, lightsOf, stations, type Light, type Station } from './path-steps';

const icons: Record<Station, IconName> = {
  api: 'api',
  outbox: 'outbox',
  broker: 'broker',
  worker: 'worker',
  effect: 'effect',
};

/**
 * The stations of a job, with one light each.
 * @param isStale true if the API does not answer; `job` is then its last answer
 */
export function JobPath({ job, isStale }: { job: Job; isStale: boolean }) {
  const text = useText();
  const lights = lightsOf(job);
  const notes = useNotes(job);
  const failed = failedAttempt(job);
  const spoken: Record<Light, string> = {
    idle: text.path.notYet,
    now: text.path.now,
    done: text.path.done,
    failed: text.path.stopped,
    stopped: text.path.stopped,
  };
  return (
    <div className="path" data-state={job.state} {...(isStale && { 'data-stale': '' })}>
      <ol className="stations" aria-label={text.path.label}>
        {stations.map((station, index) => (
          <li
            key={station}
            className={`station is-${lights[station]}`}
            data-station={station}
            style={{ '--step': index } as CSSProperties}
          >
            <span className="disc">
              <Icon name={icons[station]} />
            </span>
            <span className="station-name">
              {text.path[station]}
              <span className="visually-hidden">: {spoken[lights[station]]}</span>
            </span>
            <span className="station-note">{notes[station]}</span>
          </li>
        ))}
      </ol>
      {job.state === 'waiting' && <Branch icon="jobs">{text.path.waitsForChildren}</Branch>}
      {isLeaseExpired(job) && <Branch icon="again">{text.path.leaseExpired}</Branch>}
      {failed !== undefined && (
        <Branch icon="again">
          {job.state === 'active'
            ? text.path.attemptFailed(failed, job.maxAttempts)
            : text.path.retry(failed, job.maxAttempts)}
        </Branch>
      )}
      {job.state === 'cancelled' && job.place === null && <Branch icon="stop">{text.path.cancelledEarly}</Branch>}
      {job.state === 'failed' && (
        <p className="branch branch-dead">
          <Icon name="deadLetter" />
          <span>
            <strong>{text.path.deadLetter}</strong> {text.path.deadLetterNote}
          </span>
        </p>
      )}
      <p className="visually-hidden" aria-live="polite">
        {text.states[job.state]}
      </p>
    </div>
  );
}

function Branch({ icon, children }: { icon: IconName; children: ReactNode }) {
  return (
    <p className="branch branch-retry">
      <Icon name={icon} />
      {children}
    </p>
  );
}

function useNotes(job: Job): Record<Station, string> {
  const { path } = useText();
  const time = useTime();
  const { state, place, startedAt, finishedAt } = job;
  return {
    api: `${path.accepted} ${time.at(job.createdAt)}`,
    outbox: place !== 'outbox' ? '' : state === 'queued' ? path.notPublished : path.waitsUntil(time.at(job.runAt)),
    broker: place === 'broker' ? `${job.broker} · ${path.waitsForWorker}` : job.broker,
    worker: workerNote(),
    effect: effectNote(),
  };

  function workerNote(): string {
    if (job.attempt === 0) return '';
    const attempt = path.attempt(job.attempt, job.maxAttempts);
    if (job.attempt > 1 || startedAt === null) return attempt;
    const due = job.runAt > job.createdAt && job.runAt < startedAt ? job.runAt : job.createdAt;
    return `${attempt} · ${path.wait(time.between(due, startedAt))}`;
  }

  function effectNote(): string {
    if (state === 'completed' && startedAt !== null && finishedAt !== null) {
      return path.took(time.between(startedAt, finishedAt));
    }
    if (state !== 'failed' && state !== 'cancelled') return '';
    // A failed attempt may have had its effect. So may an attempt whose end was not recorded.
    return startedAt === null ? path.refused : path.notConfirmed;
  }
}
