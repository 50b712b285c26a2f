import { conformance } from './conformance';
import { bullmqHarness } from './harness/bullmq';

conformance(bullmqHarness('bullmq-postgres', undefined, true));
