import { useBrokers } from '../api/brokers';
import { Page } from '../parts/page';
import { ProblemNote } from '../parts/problem-note';
import { useText } from '../text/language';
import { QueuePauses } from './queue-pauses';
import { QueuePurge } from './queue-purge';

export function BrokersView() {
  const { brokers: text } = useText();
  const { data, error } = useBrokers();
  const brokers = data?.items ?? [];
  const capabilities = Object.keys(text.capabilityNames) as (keyof typeof text.capabilityNames)[];
  return (
    <Page title={text.title} lead={text.lead}>
      {error && <ProblemNote error={error} />}
      <ul className="cards">
        {brokers.map(({ name, state, reason, setting, queues }) => (
          <li key={name} className="card">
            <div className="card-head">
              <h2>{name}</h2>
              {/* The API does not answer, so the state in its last answer may be wrong. */}
              {error ? (
                <span className="badge">{text.unknown}</span>
              ) : (
                <span className={`badge badge-broker-${state}`}>{text[state]}</span>
              )}
            </div>
            {state === 'not_configured' ? (
              <p className="quiet">
                {text.toConnect} <code>{setting}</code>
              </p>
            ) : (
              reason !== undefined && <p className="quiet">{reason}</p>
            )}
            {queues.length > 0 && (
              <dl className="details">
                {queues.map((queue) => (
                  <div key={queue.name}>
                    <dt>{queue.name}</dt>
                    <dd>
                      {text.messages(queue.depth)}
                      {queue.state !== 'up' && (
                        <>
                          {' '}
                          <span className={`badge badge-queue-${queue.state}`}>{text.queueStates[queue.state]}</span>
                          {queue.state === 'down' && <p className="quiet">{queue.reason}</p>}
                        </>
                      )}
                    </dd>
                  </div>
                ))}
              </dl>
            )}
          </li>
        ))}
      </ul>
      {brokers.some(({ state }) => state === 'not_configured') && (
        <p className="quiet hint-line">{text.howToConnect}</p>
      )}
      <QueuePauses />
      <QueuePurge />
      {brokers.length > 0 && (
        <section className="card" aria-labelledby="capabilities">
          <h2 id="capabilities">{text.capabilities}</h2>
          <div className="scroll" tabIndex={0} role="group" aria-labelledby="capabilities">
            <table>
              <thead>
                <tr>
                  <th scope="col">{text.capability}</th>
                  {brokers.map(({ name, state }) => (
                    <th key={name} scope="col">
                      {name}
                      {state === 'not_configured' && <span className="quiet"> ({text.not_configured})</span>}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {capabilities.map((capability) => (
                  <tr key={capability}>
                    <th scope="row">{text.capabilityNames[capability]}</th>
                    {brokers.map(({ name, capabilities: kept }) => {
                      const by = kept[capability] ?? 'none';
                      return (
                        <td key={name}>
                          <span className={`by by-${by}`}>{text[by]}</span>
                        </td>
                      );
                    })}
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </section>
      )}
    </Page>
  );
}
