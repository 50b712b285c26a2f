import { useMutation } from '@tanstack/react-query';
import { useId } from 'react';
import { changeRedrive, redriveActions, useRefreshRedrives, type Redrive, type RedriveAction } from '../api/redrives';
import { ProblemNote } from '../parts/problem-note';
import { useText } from '../text/language';
import { useTime } from '../text/time';

/** A redrive of many dead letters: its filter, how far it has come, and what its state allows. */
export function RedriveRow({ redrive }: { redrive: Redrive }) {
  const { redrives: text, deadLetters } = useText();
  const time = useTime();
  const id = useId();
  const refresh = useRefreshRedrives();
  const change = useMutation({
    mutationFn: (action: RedriveAction) => changeRedrive(redrive.id, action),
    onSettled: refresh,
  });
  const { state, filter, at } = redrive;
  const { completed, failing, open } = redrive.latest;
  const { kind, reason, broker, tenant, before } = filter;
  const parts = [kind, reason, broker, tenant !== null && text.ofTenant(tenant)].filter(Boolean);
  const actions = redriveActions[state];
  return (
    <li className="redrive" aria-labelledby={id}>
      <div>
        <div className="redrive-head">
          <strong id={id}>{parts.length === 0 ? text.all : parts.join(' · ')}</strong>
          <span aria-live="polite">
            <span className={`badge badge-redrive-${state}`}>{text.states[state]}</span>
          </span>
        </div>
        <p className="quiet">
          {text.rate(redrive.perSecond)} · {redrive.by} · <time dateTime={at}>{time.at(at)}</time>
          {before !== at && ` · ${text.until(time.at(before))}`}
        </p>
        <p>{deadLetters.result(redrive.redriven, redrive.refused)}</p>
        {completed + failing + open > 0 && <p>{text.latest(completed, failing, open)}</p>}
      </div>
      {actions.length > 0 && (
        <div className="actions">
          {actions.map((action) => (
            <button
              key={action}
              type="button"
              className="button-small"
              aria-describedby={id}
              onClick={() => change.mutate(action)}
              disabled={change.isPending}
            >
              {text.actions[action]}
            </button>
          ))}
        </div>
      )}
      {state === 'stopped' && (
        <div className="note note-bad">
          <p>{text.whyStopped}</p>
        </div>
      )}
      <ProblemNote error={change.error} />
    </li>
  );
}
