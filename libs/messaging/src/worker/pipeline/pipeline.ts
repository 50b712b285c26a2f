import type { Delivery } from '../../port/broker-driver';
import { claimStep } from './claim';
import { executeStep } from './execute';
import { parseStep } from './parse';
import type { WorkerDependencies } from './worker-dependencies';
import { rateLimitStep } from './rate-limit';
import { settleStep } from './settle';
import { concurrencyStep } from './concurrency-limit';
import { Steps } from './steps';
import { stopStep } from './stop';
import { tenantStep } from './tenant';
import { traceStep } from './trace';

/**
 * The steps that every delivery on every broker passes through. After the last one the driver acknowledges, whatever
 * the outcome.
 */
export function createPipeline(dependencies: WorkerDependencies) {
  return Steps.from<Delivery, void>()
    .step('parse', 'the body becomes a message; one that cannot be read is set aside', parseStep(dependencies))
    .step('trace', 'the trace of the request that asked for the job goes on', traceStep())
    .step('concurrency', 'waits for one of the slots of the kind, over all brokers', concurrencyStep(dependencies))
    .step('rate limit', 'waits for its turn, where the broker keeps no rate limit', rateLimitStep(dependencies))
    .step('claim', 'queued becomes active under a lease; a stale dispatch ends here', claimStep(dependencies))
    .step('settle', 'decides what becomes of the job, and writes it', settleStep(dependencies))
    .step('tenant', 'snoozes a job whose tenant has all its slots of the kind in use', tenantStep(dependencies))
    .step('stop', 'ends the attempt at time-out, cancel, drain and a lost lease', stopStep())
    .last('execute', 'runs the handler; a throw means retry', executeStep(dependencies));
}
