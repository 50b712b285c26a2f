import { getQueueToken } from '@nestjs/bullmq';
import { Test, type TestingModule } from '@nestjs/testing';
import type { Queue } from 'bullmq';
import { Client } from 'pg';
import {
  BullmqDriver,
  bullmqCapabilities,
  BullmqDriverModule,
  subscriberQueue,
  type BrokerTopology,
} from '@app/messaging';
import { strictBytes, type BrokerUnderTest, type Harness } from '../../support/broker-under-test';
import { uniqueName } from '../../support/core';

/**
 * BullMQ on one of its backends.
 * @param leaseMs after which BullMQ delivers the message of a worker that does not renew its lock to another
 */
export function bullmqHarness(name: string, redisUrl: string | undefined, isThere: boolean, leaseMs?: number): Harness {
  return {
    name,
    isThere,
    capabilities: bullmqCapabilities,
    carries: 'json',
    start: (databaseUrl) => Promise.resolve(new BullmqUnderTest(databaseUrl, redisUrl, leaseMs)),
    // The size limit of Redis cannot be set below 1 MiB.
    strict: redisUrl === undefined ? { start: startStrictPostgres } : undefined,
  };
}

/** Refuses large messages with a trigger, because the limits of the server itself are too large for a test. */
async function startStrictPostgres(databaseUrl: string): Promise<BrokerUnderTest> {
  const client = new Client(databaseUrl);
  await client.connect();
  await client.query(`
    CREATE FUNCTION bullmq.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      RAISE EXCEPTION 'string too long to represent as jsonb string' USING ERRCODE = '54000';
    END $$;
    CREATE TRIGGER refuse BEFORE INSERT ON bullmq.job
      FOR EACH ROW WHEN (octet_length(NEW.data::text) > ${strictBytes}) EXECUTE FUNCTION bullmq.refuse()`);
  await client.end();
  return new BullmqUnderTest(databaseUrl, undefined);
}

class BullmqUnderTest implements BrokerUnderTest {
  private readonly modules: TestingModule[] = [];
  private events: BrokerTopology['events'] = [];
  private readonly prefix = `${uniqueName()}-${process.pid}`;

  constructor(
    private readonly databaseUrl: string,
    private readonly redisUrl: string | undefined,
    private readonly leaseMs = 2_000,
  ) {}

  async connect(use: 'publish' | 'consume', topology: BrokerTopology): Promise<BullmqDriver> {
    const { databaseUrl, redisUrl, prefix, leaseMs } = this;
    this.events = topology.events;
    const settings = { databaseUrl, redisUrl, prefix, leaseMs };
    const module = await Test.createTestingModule({
      imports: [BullmqDriverModule.forRoot(settings, 'test', topology, use)],
    }).compile();
    await module.init();
    this.modules.push(module);
    const driver = module.get(BullmqDriver);
    await driver.ready();
    return driver;
  }

  async publishRaw(queue: string, body: unknown): Promise<void> {
    await this.queue(queue).add('raw', body, { priority: 2 });
  }

  async publishRawEvent(kind: string, body: unknown): Promise<void> {
    const { subscribers } = this.events.find((event) => event.kind === kind)!;
    for (const subscriber of subscribers) await this.publishRaw(subscriberQueue(kind, subscriber), body);
  }

  async forget(queue: string): Promise<void> {
    // drain() deletes all in one statement. On PostgreSQL, 100,000 jobs can take longer than the statement may.
    for (const state of ['wait', 'prioritized'] as const) {
      while ((await this.queue(queue).clean(0, 5_000, state)).length > 0);
    }
  }

  async close(): Promise<void> {
    for (const module of this.modules) await module.close();
  }

  private queue(name: string): Queue {
    return this.modules[0]!.get<Queue>(getQueueToken(name));
  }
}
