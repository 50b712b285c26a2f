import { traceContext, traceIdFrom } from '../../trace-context';
import type { Received, Step } from './steps';

/** Continues the trace of the request that enqueued the job. */
export function traceStep(): Step<Received, void, Received, void> {
  return (received, next) => {
    const traceId = traceIdFrom(received.message.traceparent);
    return traceContext.run({ traceId, jobId: received.message.id }, () => next(received));
  };
}
