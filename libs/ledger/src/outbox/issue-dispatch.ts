/**
 * The SQL part that puts the current dispatch of jobs into the outbox.
 * @param jobs a CTE with the columns of `job`; with a condition where not all of its jobs are dispatched
 */
export function issueDispatch(jobs: string): string {
  return `INSERT INTO outbox (broker, queue, kind, version, job_id, dispatch, priority, publish_at, traceparent,
                         order_key, order_position)
     SELECT broker, queue, kind, version, id, dispatch, priority, run_at, traceparent, order_key, order_position
       FROM ${jobs}`;
}
