import { conformance } from './conformance';
import { bullmqHarness } from './harness/bullmq';

const redisUrl = process.env['TEST_REDIS_URL'];

conformance(bullmqHarness('bullmq-redis', redisUrl, redisUrl !== undefined));
