import { Logger, Module, type DynamicModule } from '@nestjs/common';
import { Pool } from 'pg';
import { jobDefinitions, type BrokerName } from '@app/contracts';
import { OutboxWakeUp } from '@app/persistence';
import { MessagingEvents } from '../messaging-events';
import { BrokerRoutes } from './broker-routes';
import { JobsService } from './jobs.service';

/** For whoever enqueues. It opens no connection to a broker: a job is safe once the ledger has it. */
@Module({})
export class ProducerModule {
  static register(configured: readonly BrokerName[]): DynamicModule {
    const routes = new BrokerRoutes(configured);
    for (const warning of routes.warnings(jobDefinitions)) new Logger('Brokers').warn(warning);
    return {
      module: ProducerModule,
      providers: [
        { provide: BrokerRoutes, useValue: routes },
        MessagingEvents,
        {
          provide: JobsService,
          inject: [Pool, OutboxWakeUp, BrokerRoutes, MessagingEvents],
          useFactory: (...parts: ConstructorParameters<typeof JobsService>) => new JobsService(...parts),
        },
      ],
      exports: [BrokerRoutes, JobsService, MessagingEvents],
    };
  }
}
