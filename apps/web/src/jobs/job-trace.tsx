import { useQuery } from '@tanstack/react-query';
import type { CSSProperties } from 'react';
import { answerOf, api } from '../api/client';
import type { Job } from '../api/jobs';
import { useHasRoute } from '../api/routes';
import { useText } from '../text/language';
import { useTime } from '../text/time';

/** The narrowest bar, as a part of the whole: a state of one millisecond is still to be seen. */
const narrowest = 0.006;

/** The states of a job as bars on one line of time. */
export function JobTrace({ job }: { job: Job }) {
  const text = useText();
  const time = useTime();
  const hasTrace = useHasRoute()('GET /v1/jobs/{id}/trace');
  const { data: trace } = useQuery({
    // Read again after each change of the job.
    queryKey: ['job-trace', job.id, job.state, job.attempt, job.runAt],
    queryFn: () => answerOf(api.GET('/v1/jobs/{id}/trace', { params: { path: { id: job.id } } })),
    placeholderData: (previous) => previous,
    enabled: hasTrace,
  });
  const [first] = trace?.spans ?? [];
  if (!trace || !first) return null;
  const now = new Date().toISOString();
  const begin = Date.parse(first.from);
  const end = Math.max(...trace.spans.map(({ until }) => Date.parse(until ?? now)));
  const part = (moment: string) => (Date.parse(moment) - begin) / Math.max(1, end - begin);
  return (
    <section className="card" aria-labelledby="trace">
      <h2 id="trace">{text.job.trace}</h2>
      <ol className="trace">
        {trace.spans.map(({ state, attempt, from, until, error }) => {
          const [left, right] = [part(from), part(until ?? now)];
          const width = Math.max(narrowest, right - left);
          const style = { '--left': Math.min(left, 1 - width), '--width': width } as CSSProperties;
          return (
            <li key={`${from} ${state}`} data-state={state} {...(error && { 'data-error': error.code })}>
              <span className="trace-name">{state === 'active' ? text.job.attempt(attempt) : text.states[state]}</span>
              <span className="trace-line">
                <span className="trace-bar" style={style} />
              </span>
              <span className="trace-time">
                {time.between(from, until ?? now)}
                {error && <code> {error.code}</code>}
              </span>
            </li>
          );
        })}
      </ol>
      {trace.traceId !== null && (
        <p className="quiet">
          {text.job.traceId} <code>{trace.traceId}</code>
        </p>
      )}
    </section>
  );
}
