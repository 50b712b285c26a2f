import { Controller, Get, Inject } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Pool } from 'pg';
import { z } from 'zod';
import { jobDefinitions } from '@app/features/catalogue';
import { requestableBrokers, type BrokerName } from '@app/contracts';
import { readerGoneMs, readQueueReaders, type QueueReaders } from '@app/ledger';
import { brokerCapabilities, capabilityNames, DRIVERS, supports, queuesOf, type BrokerDriver } from '@app/messaging';
import { AnyKey, toOpenApi } from '@app/http';
import { withBrokerTimeout } from './with-broker-timeout';

const queueView = z.object({
  name: z.string(),
  depth: z.int().describe('messages that wait or are in flight'),
  state: z
    .enum(['up', 'down', 'no_worker', 'unknown'])
    .describe(
      'whether the workers report that they can take messages from it: all of them (`up`), not all (`down`), ' +
        'or no worker has reported (`no_worker`); `unknown` if PostgreSQL does not answer',
    ),
  reason: z.string().optional().describe('why it is not up'),
});

const brokerView = z.object({
  name: z.enum(requestableBrokers),
  state: z.enum(['up', 'down', 'not_configured']),
  reason: z.string().optional().describe('why it is not up'),
  capabilities: z
    .record(z.enum(capabilityNames), z.enum(supports))
    .describe('what provides the capability: the broker (`native`), this system above it (`bus`), or neither (`none`)'),
  setting: z.string().describe('the variable that holds its address'),
  queues: z.array(queueView),
});

/** The variable of each broker, and an address as in `npm run brokers` or docker-compose.yml. */
const connections = {
  bullmq: { setting: 'REDIS_URL', example: 'redis://localhost:6379' },
  rabbitmq: { setting: 'RABBITMQ_URL', example: 'amqp://localhost:5672' },
  kafka: { setting: 'KAFKA_BROKERS', example: 'localhost:9092' },
} as const;

type BrokerView = z.output<typeof brokerView>;
type QueueView = z.output<typeof queueView>;

/** The reports of the workers about their queues; undefined if PostgreSQL does not answer. */
type Readers = readonly QueueReaders[] | undefined;

@ApiTags('operations')
@AnyKey()
@Controller('v1/brokers')
export class BrokersController {
  constructor(
    @Inject(DRIVERS) private readonly drivers: readonly BrokerDriver[],
    private readonly pool: Pool,
  ) {}

  @Get()
  @ApiOperation({
    summary:
      'List the brokers: their state and capabilities, the depth of their queues, and whether workers can take messages',
  })
  @ApiResponse({
    status: 200,
    description: 'Every broker that a job may name.',
    schema: toOpenApi(z.object({ items: z.array(brokerView) })),
  })
  async list(): Promise<{ items: BrokerView[] }> {
    const readers = withBrokerTimeout(readQueueReaders.run(this.pool)).catch(() => undefined);
    return { items: await Promise.all(requestableBrokers.map((name) => this.look(name, readers))) };
  }

  private async look(name: (typeof requestableBrokers)[number], readers: Promise<Readers>): Promise<BrokerView> {
    const driver = this.drivers.find((configured) => configured.name === (name satisfies BrokerName));
    const { setting, example } = connections[name];
    const broker = { name, capabilities: brokerCapabilities[name], setting };
    if (!driver) {
      const reason = `This system is not connected to ${name}. Set ${setting}, such as ${example}, and start it again.`;
      return { ...broker, state: 'not_configured', reason, queues: [] };
    }
    try {
      const depths = await withBrokerTimeout(depthsOf(driver));
      const said = await readers;
      return {
        ...broker,
        state: 'up',
        queues: depths.map((queue) => ({ ...queue, ...stateOf(name, queue.name, said) })),
      };
    } catch (error) {
      return { ...broker, state: 'down', reason: (error as Error).message, queues: [] };
    }
  }
}

function depthsOf(driver: BrokerDriver): Promise<{ name: string; depth: number }[]> {
  return Promise.all(
    queuesOf(jobDefinitions).map(async ({ queue }) => ({ name: queue, depth: await driver.depth(queue) })),
  );
}

/**
 * Returns the state of a queue from the reports of its workers. Only consumers know whether a queue can be read: the
 * broker answers and accepts messages in either case.
 */
function stateOf(broker: string, queue: string, readers: Readers): Pick<QueueView, 'state' | 'reason'> {
  if (!readers)
    return { state: 'unknown', reason: 'PostgreSQL does not answer, so the reports of the workers are unknown.' };
  const said = readers.find((found) => found.broker === broker && found.queue === queue);
  if (!said) {
    const reason = `No worker has reported within ${readerGoneMs / 1_000} s that it takes messages from this queue.`;
    return { state: 'no_worker', reason };
  }
  const { workers, failing, trouble } = said;
  if (failing === 0) return { state: 'up' };
  return { state: 'down', reason: `${failing} of ${workers} workers cannot take messages from this queue: ${trouble}` };
}
