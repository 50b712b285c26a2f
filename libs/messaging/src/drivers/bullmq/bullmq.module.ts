import { BullModule, getQueueToken } from '@nestjs/bullmq';
import { Module, type DynamicModule } from '@nestjs/common';
import { Queue, Worker, createPostgresBackend, withBackend } from 'bullmq';
import { subscriberQueues, type BrokerTopology } from '../../port/topology';
import { BullmqDriver } from './bullmq-driver';
import { connectBullmq, type BullmqSettings } from './bullmq-connection';
import { BullmqMessages } from './queue-messages';
import { queueProcessorFor, type QueueProcessor } from './queue-processor';
import { tolerant } from './tolerant-worker';

/** At most as many events as one transaction may handle. */
const eventsAtOnce = 100;

const onPostgres = withBackend(createPostgresBackend);

/** BullMQ through Nest's own module: its queues, for publishing and for reading, and its workers. */
@Module({})
export class BullmqDriverModule {
  /** @param use `consume`: this process runs workers; `publish`: it only publishes and reads */
  static forRoot(
    settings: BullmqSettings,
    application: string,
    { queues: jobQueues, events }: BrokerTopology,
    use: 'consume' | 'publish',
  ): DynamicModule {
    const consume = use === 'consume';
    const eventQueue = { concurrency: eventsAtOnce, rateLimit: undefined, partitions: 1 };
    const eventQueues = subscriberQueues(events).map((queue) => ({ queue, ...eventQueue }));
    const topology = [...jobQueues, ...eventQueues];
    const connection = connectBullmq(settings, application, consume ? topology.length : 0);
    // Nest reads these static classes when the queues are registered, and creates all queues of a process from them.
    BullModule.queueClass = connection.backend === 'redis' ? Queue : (onPostgres.Queue as typeof Queue);
    BullModule.workerClass = tolerant(connection.backend === 'redis' ? Worker : (onPostgres.Worker as typeof Worker));

    const names = topology.map(({ queue }) => queue);
    const queues = BullModule.registerQueue(
      ...names.map((name) => ({ name, connection: connection.forQueues, prefix: settings.prefix })),
    );
    const processors = consume ? topology.map((queue) => queueProcessorFor(queue, connection, settings)) : [];
    return {
      module: BullmqDriverModule,
      imports: [queues],
      providers: [
        ...processors,
        { provide: BullmqMessages, useValue: new BullmqMessages(connection) },
        {
          provide: BullmqDriver,
          inject: [...names.map((name) => getQueueToken(name)), ...processors],
          useFactory: (...parts: (Queue | QueueProcessor)[]) =>
            new BullmqDriver(
              connection,
              new Map(names.map((name, index) => [name, parts[index] as Queue])),
              new Map(processors.map((_, index) => [names[index]!, parts[names.length + index] as QueueProcessor])),
              events,
            ),
        },
      ],
      exports: [BullmqDriver, BullmqMessages, queues],
    };
  }
}
