import { conformance } from './conformance';
import { rabbitmqHarness } from './harness/rabbitmq';

conformance(rabbitmqHarness(process.env['TEST_RABBITMQ_URL']));
