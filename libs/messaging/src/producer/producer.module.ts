import { Logger, Module, type DynamicModule, type OnApplicationBootstrap } from '@nestjs/common';
import { BrokerRoutes, brokerRoutes } from '@app/configuration';
import type { JobDefinition } from '@app/contracts';
import { MessagingSignals } from '../messaging-signals';
import { JobsService } from './jobs.service';

/** Logged in one line, once the application's own logger is in use. */
class Substitutes implements OnApplicationBootstrap {
  constructor(private readonly warnings: readonly string[]) {}

  onApplicationBootstrap(): void {
    if (this.warnings.length > 0) new Logger('Brokers').warn(this.warnings.join('; '));
  }
}

/** For a process that enqueues. It connects to no broker: a job is safe once the ledger has it. */
@Module({})
export class ProducerModule {
  /**
   * @param definitions all kinds of jobs of the system
   * @throws ConfigurationError when a setting sends jobs to a broker that is not configured
   */
  static forRoot(settings: Parameters<typeof brokerRoutes>[0], definitions: readonly JobDefinition[]): DynamicModule {
    const routes = brokerRoutes(settings, definitions);
    return {
      module: ProducerModule,
      providers: [
        { provide: BrokerRoutes, useValue: routes },
        { provide: Substitutes, useFactory: () => new Substitutes(routes.warnings(definitions)) },
        MessagingSignals,
        JobsService,
      ],
      exports: [BrokerRoutes, JobsService, MessagingSignals],
    };
  }
}
