import { Controller, Get, Inject } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { jobDefinitions, requestableBrokers, type BrokerName } from '@app/contracts';
import { capabilityNames, DRIVERS, supports, queuesOf, type BrokerDriver } from '@app/messaging';
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
    .nullable()
    .describe('who keeps a promise: the broker (`native`), this system above it (`bus`), or nobody (`none`)'),
  queues: z.array(queueDepth),
});

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
    if (!driver) {
      const reason = `This system is not connected to ${name}.`;
      return { name, state: 'not_configured', reason, capabilities: null, queues: [] };
    }
    const { capabilities } = driver;
    try {
      return { name, state: 'up', capabilities, queues: await withinTime(depths(driver)) };
    } catch (error) {
      return { name, state: 'down', reason: (error as Error).message, capabilities, queues: [] };
    }
  }
}

function depths(driver: BrokerDriver): Promise<z.output<typeof queueDepth>[]> {
  return Promise.all(
    queuesOf(jobDefinitions).map(async ({ queue }) => ({ name: queue, depth: await driver.depth(queue) })),
  );
}
