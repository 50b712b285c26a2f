import { conformance } from './conformance';
import { kafkaHarness } from './harness/kafka';

conformance(kafkaHarness(process.env['TEST_KAFKA_BROKERS']));
