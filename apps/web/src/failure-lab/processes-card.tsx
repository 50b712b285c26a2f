import { useProcessAction, type SupervisedProcess } from '../api/processes';
import { ProblemNote } from '../parts/problem-note';
import { useText } from '../text/language';

export function ProcessesCard({ processes }: { processes: readonly SupervisedProcess[] }) {
  const { processes: text } = useText().failureLab;
  const { mutate, error } = useProcessAction();
  return (
    <section className="card" aria-labelledby="processes">
      <h2 id="processes">{text.title}</h2>
      <p className="quiet">{text.lead}</p>
      <ProblemNote error={error} />
      <ul className="rows">
        {processes.map(({ name, state, restarts }) => (
          <li key={name} className="row process">
            <span className="row-main">
              <strong>{name}</strong>
              {restarts > 0 && <span className="quiet">{text.restarts(restarts)}</span>}
            </span>
            <span className={`badge badge-process-${state}`}>{text[state]}</span>
            <span className="row-end actions">
              {(state === 'stopped' ? (['start'] as const) : (['kill', 'stop'] as const)).map((action) => (
                <button
                  key={action}
                  type="button"
                  className="button-small"
                  aria-label={`${text[action]} ${name}`}
                  onClick={() => mutate({ name, action })}
                >
                  {text[action]}
                </button>
              ))}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
