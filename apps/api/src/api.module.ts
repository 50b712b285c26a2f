import { Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { eventDefinitions, jobDefinitions } from '@app/contracts';
import { configuredDrivers, DRIVERS, ProducerModule, queuesOf } from '@app/messaging';
import { loggingModule, observers } from '@app/observability';
import { callerPool, PersistenceModule } from '@app/persistence';
import { AccessGuard, TenantThrottle, type Access } from './access';
import { AsyncApiController } from './asyncapi/asyncapi.controller';
import { Board, boardModule } from './board/bull-board';
import type { ApiSettings } from './config';
import { ProblemFilter } from './http/problem.filter';
import { EmailsController } from './jobs/emails.controller';
import { JobIntake } from './jobs/job-intake';
import { JobsController } from './jobs/jobs.controller';
import { SmsController } from './jobs/sms.controller';
import { BrokersController } from './operations/brokers.controller';
import { DeadLettersController } from './operations/dead-letters.controller';
import { HealthController, Readiness } from './operations/health.controller';
import { Redriver } from './operations/redriver';
import { HomeController } from './operations/home.controller';
import { MailboxController } from './operations/mailbox.controller';

@Module({})
export class ApiModule {
  static with(settings: ApiSettings, access: Access): DynamicModule {
    const topology = { queues: queuesOf(jobDefinitions), events: eventDefinitions };
    const drivers = configuredDrivers(settings, 'api', topology, 'publish');
    return {
      module: ApiModule,
      imports: [
        loggingModule({ application: 'api', level: settings.LOG_LEVEL, format: settings.LOG_FORMAT }),
        PersistenceModule.forRoot({
          databaseUrl: settings.DATABASE_URL,
          application: 'api',
          pool: callerPool,
        }),
        ProducerModule.register(settings),
        // To look into the queues only: no request waits for a broker.
        ...drivers.imports,
        boardModule(access),
        TenantThrottle.module(settings.THROTTLE_PER_SECOND),
      ],
      controllers: [
        EmailsController,
        SmsController,
        JobsController,
        BrokersController,
        DeadLettersController,
        HealthController,
        HomeController,
        AsyncApiController,
        ...(settings.NODE_ENV === 'production' ? [] : [MailboxController]),
      ],
      providers: [
        drivers.provider,
        AsyncApiController.documentOf(settings, topology),
        JobIntake,
        Board,
        Redriver,
        ...observers(settings),
        Readiness,
        { provide: APP_FILTER, useClass: ProblemFilter },
        // In this order: only who may ask at all is counted.
        { provide: APP_GUARD, useValue: new AccessGuard(settings.NODE_ENV === 'production') },
        { provide: APP_GUARD, useClass: TenantThrottle },
      ],
      exports: [DRIVERS],
    };
  }
}
