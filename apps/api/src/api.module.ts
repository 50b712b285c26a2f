import { Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { Pool } from 'pg';
import { eventDefinitions, jobDefinitions } from '@app/features/catalogue';
import { configuredDrivers, directUrl, DRIVERS, MessagingSignals, ProducerModule, queuesOf } from '@app/messaging';
import { database, loggingModule, observers, Readiness } from '@app/observability';
import { callerPool } from '@app/ledger';
import { DatabaseModule } from '@app/database';
import { fileStoreProvider } from '@app/storage';
import {
  AccessGuard,
  SessionController,
  Sessions,
  signingKey,
  type Access,
  ReadJsonBody,
  ProblemFilter,
  JobIntake,
  JobViews,
  ResultLinks,
  type FeatureRoutes,
} from '@app/http';
import { FileLinks, FilesController } from '@app/storage/routes';
import { MailboxController } from '@app/mailbox/routes';
import { AsyncApiController } from './asyncapi/asyncapi.controller';
import { Board, BoardPool, boardModule } from './board/bull-board';
import type { ApiSettings } from './config';
import { LiveController } from './live/live.controller';
import { LiveFeed } from './live/live-feed';
import { Streams } from './live/streams';
import { JobsController } from './jobs/jobs.controller';
import { AuditController } from './operations/audit.controller';
import { BrokersController } from './operations/brokers.controller';
import { DeadLettersController } from './operations/dead-letters.controller';
import { MetricsController } from './operations/metrics.controller';
import { HealthController } from './operations/health.controller';
import { Redriver } from './operations/redriver';
import { QueuesController } from './operations/queues.controller';
import { RedrivesController } from './operations/redrives.controller';
import { ProcessesController, SupervisorChannel } from './operations/processes.controller';
import { WebController } from './web/web.controller';

/** Streams live five to ten minutes. Then an ended session is detected, and a reader that has left its proxy. */
const streamLifeMs = 5 * 60 * 1_000;

@Module({})
export class ApiModule {
  static forRoot(settings: ApiSettings, access: Access, features: readonly FeatureRoutes[]): DynamicModule {
    const topology = { queues: queuesOf(jobDefinitions), events: eventDefinitions };
    const drivers = configuredDrivers(settings, 'api', topology, 'publish');
    return {
      module: ApiModule,
      imports: [
        loggingModule({ application: 'api', level: settings.LOG_LEVEL, format: settings.LOG_FORMAT }),
        DatabaseModule.forRoot({ databaseUrl: settings.DATABASE_URL, application: 'api', pool: callerPool }),
        ProducerModule.forRoot(settings, jobDefinitions),
        // Only for reading the queues. No job request waits for a broker.
        ...drivers.imports,
        boardModule(),
      ],
      controllers: [
        ...features.flatMap(({ controllers }) => controllers),
        JobsController,
        LiveController,
        FilesController,
        BrokersController,
        DeadLettersController,
        QueuesController,
        RedrivesController,
        AuditController,
        HealthController,
        MetricsController,
        WebController,
        SessionController,
        AsyncApiController,
        ...(settings.NODE_ENV === 'production' ? [] : [MailboxController, ProcessesController]),
      ],
      providers: [
        drivers.provider,
        fileStoreProvider(settings),
        { provide: Sessions, useValue: access.sessions },
        AsyncApiController.documentOf(settings, topology),
        JobIntake,
        ...features.flatMap(({ providers = [] }) => providers),
        {
          provide: FileLinks,
          useValue: new FileLinks(signingKey('file link', settings.API_KEYS ?? [], settings.SIGNING_SECRET)),
        },
        { provide: ResultLinks, useExisting: FileLinks },
        {
          provide: JobViews,
          inject: [{ token: ResultLinks, optional: true }],
          useFactory: (links?: ResultLinks) => new JobViews(jobDefinitions, links),
        },
        Board,
        { provide: BoardPool, useFactory: () => new BoardPool(settings.DATABASE_URL) },
        Redriver,
        {
          provide: Streams,
          inject: [Pool],
          useFactory: (pool: Pool) =>
            new Streams(
              { perProcess: settings.STREAMS_PER_PROCESS, perTenant: settings.STREAMS_PER_TENANT },
              { heartbeatMs: settings.STREAM_HEARTBEAT_MS, stallMs: settings.STREAM_STALL_MS, lifeMs: streamLifeMs },
              pool,
            ),
        },
        {
          provide: LiveFeed,
          inject: [Pool, MessagingSignals, JobViews],
          useFactory: (pool: Pool, signals: MessagingSignals, views: JobViews) =>
            new LiveFeed(pool, signals, views, directUrl(settings)),
        },
        ...observers(settings),
        {
          provide: Readiness,
          inject: [Pool],
          useFactory: (pool: Pool) => new Readiness(() => [database(pool)]),
        },
        ...(settings.NODE_ENV === 'production' ? [] : [SupervisorChannel]),
        { provide: APP_FILTER, useClass: ProblemFilter },
        { provide: APP_GUARD, useValue: new AccessGuard(settings.THROTTLE_PER_SECOND) },
        // Runs after the guard, so no body of a refused caller is read.
        { provide: APP_INTERCEPTOR, useClass: ReadJsonBody },
      ],
      exports: [DRIVERS],
    };
  }
}
