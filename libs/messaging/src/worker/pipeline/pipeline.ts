import type { Delivery } from '../../port/consumer';
import { attemptStep } from './attempt';
import { claimStep } from './claim';
import { concurrencyStep } from './concurrency-limit';
import { executeStep } from './execute';
import { parseStep } from './parse';
import { rateLimitStep } from './rate-limit';
import { settleStep } from './settle';
import { Steps, type WorkerDependencies } from './steps';
import { stopStep } from './stop';
import { tenantStep } from './tenant';
import { traceStep } from './trace';

/**
 * The steps that every delivery on every broker passes through. After the last one the driver acknowledges, whatever
 * the outcome of the attempt is. A message that could not be stored, as a job or a dead letter, before a drain stays
 * unacknowledged.
 */
export function createPipeline(dependencies: WorkerDependencies) {
  return Steps.from<Delivery, void>()
    .step('parse', 'parses the body; dead-letters a message that cannot be read', parseStep(dependencies))
    .step('trace', 'continues the trace of the request that created the job', traceStep())
    .step(
      'concurrency',
      'waits for a free slot of the kind; all brokers share the slots',
      concurrencyStep(dependencies),
    )
    .step(
      'rate limit',
      'waits for the rate limit of the queue, if the broker has none of its own',
      rateLimitStep(dependencies),
    )
    .step('claim', 'moves the job from queued to active with a lease; drops a stale dispatch', claimStep(dependencies))
    .step('attempt', 'begins the span of the attempt, a child of that request', attemptStep())
    .step('settle', 'decides the next state of the job, and writes it', settleStep(dependencies))
    .step('tenant', 'snoozes a job whose tenant has all its slots of the kind in use', tenantStep(dependencies))
    .step('stop', 'stops the attempt at a time-out, a cancellation, a drain or a lost lease', stopStep())
    .last('execute', 'runs the handler; a throw means retry', executeStep(dependencies));
}
