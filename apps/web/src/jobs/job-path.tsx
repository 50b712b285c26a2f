import type { CSSProperties } from 'react';
import type { Job } from '../api/jobs';
import { Icon, type IconName } from '../parts/icon';
import type { Dictionary } from '../text/en';
import { useText } from '../text/language';
import { useTime } from '../text/time';
import { isOnItsWayBack, lightsOf, stations, type Light, type Station } from './path-steps';

const icons: Record<Station, IconName> = {
  api: 'api',
  outbox: 'outbox',
  broker: 'broker',
  worker: 'worker',
  effect: 'effect',
};

/** The way of a job, lit as far as it has come. */
export function JobPath({ job }: { job: Job }) {
  const text = useText();
  const lights = lightsOf(job);
  const notes = useNotes(job);
  const spoken: Record<Light, string> = {
    idle: text.path.notYet,
    now: text.path.now,
    done: text.path.done,
    failed: text.path.stopped,
    stopped: text.path.stopped,
  };
  return (
    <div className="path" data-state={job.state}>
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
      {isOnItsWayBack(job) && (
        <p className="branch branch-retry">
          <Icon name="again" />
          {text.path.retry(job.attempt, job.maxAttempts)}
        </p>
      )}
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

function useNotes(job: Job): Record<Station, string> {
  const { path } = useText();
  const time = useTime();
  const { state, startedAt, finishedAt } = job;
  const isOut = startedAt !== null && state !== 'queued' && state !== 'retrying';
  return {
    api: `${path.accepted} ${time.at(job.createdAt)}`,
    outbox: outboxNote(job, path, time.at),
    broker: isOut ? job.broker : state === 'queued' ? `${job.broker}, ${path.onItsWay}` : job.broker,
    worker: job.attempt > 0 ? path.attempt(job.attempt, job.maxAttempts) : '',
    effect: effectNote(),
  };

  function effectNote(): string {
    if (state === 'completed' && startedAt !== null && finishedAt !== null) {
      return path.took(time.between(startedAt, finishedAt));
    }
    return state === 'failed' || state === 'cancelled' ? path.refused : '';
  }

  function outboxNote({ runAt, createdAt }: Job, words: Dictionary['path'], at: (moment: string) => string): string {
    if (state === 'waiting') return words.waitsForChildren;
    if (state === 'scheduled' || state === 'retrying') return words.waitsUntil(at(runAt));
    if (!isOut || job.attempt > 1) return '';
    const due = runAt > createdAt && runAt < startedAt ? runAt : createdAt;
    return words.wait(time.between(due, startedAt));
  }
}
