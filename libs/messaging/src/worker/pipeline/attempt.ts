import { traceContext } from '../../trace-context';
import { inAttemptSpan } from '../../tracing';
import type { Claimed, Step } from './steps';

/** Begins the span of the attempt; log lines of the attempt contain its number. */
export function attemptStep(): Step<Claimed, void, Claimed, void> {
  return (claimed, next) => {
    const { job } = claimed;
    const fields = { ...traceContext.getStore()!, attempt: job.attempt };
    return traceContext.run(fields, () => inAttemptSpan(job, () => next(claimed)));
  };
}
