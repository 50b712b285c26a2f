import type { Delivery } from '../port/broker-driver';
import { claimStep } from './claim';
import { executeStep } from './execute';
import { parseStep } from './parse';
import type { PipelineParts } from './parts';
import { rateStep } from './rate';
import { settleStep } from './settle';
import { slotStep } from './slot';
import { Steps } from './steps';
import { stopStep } from './stop';
import { tenantStep } from './tenant';
import { traceStep } from './trace';

/** The way of every delivery on every broker. When it has run, the driver acknowledges, whatever came of it. */
export function createPipeline(parts: PipelineParts) {
  return Steps.from<Delivery, void>()
    .step('parse', 'the body becomes a message; one that cannot be read is set aside', parseStep(parts))
    .step('trace', 'the trace of the request that asked for the job goes on', traceStep())
    .step('slot', 'waits for one of the slots of the kind, over all brokers', slotStep(parts))
    .step('rate', 'waits for its turn, where the broker keeps no rate limit', rateStep(parts))
    .step('claim', 'queued becomes active under a lease; a stale dispatch ends here', claimStep(parts))
    .step('settle', 'decides what becomes of the job, and writes it', settleStep(parts))
    .step('tenant', 'snoozes a job whose tenant has all its slots of the kind in use', tenantStep(parts))
    .step('stop', 'ends the attempt at time-out, cancel, drain and a lost lease', stopStep())
    .last('execute', 'runs the handler; a throw means retry', executeStep(parts));
}
