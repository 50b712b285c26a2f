/**
 * The part of a statement that puts the current dispatch of jobs into the outbox.
 * @param jobs a CTE with the columns of `job`, and a condition where not all of them are to be dispatched
 */
export function issueDispatch(jobs: string): string {
  return `INSERT INTO outbox (broker, queue, kind, version, job_id, dispatch, priority, publish_at, traceparent,
                         order_key, order_position)
     SELECT broker, queue, kind, version, id, dispatch, priority, run_at, traceparent, order_key, order_position
       FROM ${jobs}`;
}
