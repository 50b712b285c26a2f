import { Controller, Get, Inject } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { jobDefinitions, requestableBrokers, type BrokerName } from '@app/contracts';
import { brokerCapabilities, capabilityNames, DRIVERS, supports, queuesOf, type BrokerDriver } from '@app/messaging';
import { AnyKey } from '../access';
import { toOpenApi } from '../jobs/job-body';
import { withinTime } from './within-time';

const queueDepth = z.object({ name: z.string(), depth: z.int().describe('messages that wait or are worked on') });

const brokerView = z.object({
  name: z.enum(requestableBrokers),
  state: z.enum(['up', 'down', 'not_configured']),
  reason: z.string().optional().describe('why it is not up'),
  capabilities: z
    .record(z.enum(capabilityNames), z.enum(supports))
    .describe('who keeps a promise: the broker (`native`), this system above it (`bus`), or nobody (`none`)'),
  setting: z.string().describe('the variable that holds its address'),
  queues: z.array(queueDepth),
});

/** How each broker is connected, with an address as `npm run brokers` or docker-compose.yml gives it. */
const connections = {
  bullmq: { setting: 'REDIS_URL', example: 'redis://localhost:6379' },
  rabbitmq: { setting: 'RABBITMQ_URL', example: 'amqp://localhost:5672' },
  kafka: { setting: 'KAFKA_BROKERS', example: 'localhost:9092' },
} as const;

type BrokerView = z.output<typeof brokerView>;

@ApiTags('operations')
@AnyKey()
@Controller('v1/brokers')
export class BrokersController {
  constructor(@Inject(DRIVERS) private readonly drivers: readonly BrokerDriver[]) {}

  @Get()
  @ApiOperation({ summary: 'The brokers: whether they answer, what they can do, what waits in them' })
  @ApiResponse({
    status: 200,
    description: 'Every broker that a job may name.',
    schema: toOpenApi(z.object({ items: z.array(brokerView) })),
  })
  async list(): Promise<{ items: BrokerView[] }> {
    return { items: await Promise.all(requestableBrokers.map((name) => this.look(name))) };
  }

  private async look(name: (typeof requestableBrokers)[number]): Promise<BrokerView> {
    const driver = this.drivers.find((configured) => configured.name === (name satisfies BrokerName));
    const { setting, example } = connections[name];
    const broker = { name, capabilities: brokerCapabilities[name], setting };
    if (!driver) {
      const reason = `This system is not connected to ${name}. Set ${setting}, such as ${example}, and start it again.`;
      return { ...broker, state: 'not_configured', reason, queues: [] };
    }
    try {
      return { ...broker, state: 'up', queues: await withinTime(depths(driver)) };
    } catch (error) {
      return { ...broker, state: 'down', reason: (error as Error).message, queues: [] };
    }
  }
}

function depths(driver: BrokerDriver): Promise<z.output<typeof queueDepth>[]> {
  return Promise.all(
    queuesOf(jobDefinitions).map(async ({ queue }) => ({ name: queue, depth: await driver.depth(queue) })),
  );
}
