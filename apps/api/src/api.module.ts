import { Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { Pool } from 'pg';
import { eventDefinitions, jobDefinitions } from '@app/contracts';
import { configuredDrivers, directUrl, DRIVERS, MessagingSignals, ProducerModule, queuesOf } from '@app/messaging';
import { loggingModule, observers } from '@app/observability';
import { callerPool, PersistenceModule } from '@app/persistence';
import { StorageModule } from '@app/storage';
import { Endpoints, receiverUrlOf, webhookProviders } from '@app/webhooks';
import { AccessGuard, SessionController, Sessions, signingKey, TenantThrottle, type Access } from './access';
import { AsyncApiController } from './asyncapi/asyncapi.controller';
import { ReadJsonBody } from './bodies/json-body';
import { Board, BoardPool, boardModule } from './board/bull-board';
import type { ApiSettings } from './config';
import { FileLinks } from './files/file-links';
import { FilesController } from './files/files.controller';
import { ProblemFilter } from './http/problem.filter';
import { LiveController } from './live/live.controller';
import { LiveFeed } from './live/live-feed';
import { LogOuts } from './live/log-outs';
import { Streams } from './live/streams';
import { ImagesController } from './images/images.controller';
import { UploadIntake } from './images/upload-intake';
import { EmailsController } from './jobs/emails.controller';
import { JobIntake } from './jobs/job-intake';
import { JobsController } from './jobs/jobs.controller';
import { ReportsController } from './jobs/reports.controller';
import { SmsController } from './jobs/sms.controller';
import { SyncRunsController } from './jobs/sync-runs.controller';
import { BrokersController } from './operations/brokers.controller';
import { DeadLettersController } from './operations/dead-letters.controller';
import { HealthController, Readiness } from './operations/health.controller';
import { Redriver } from './operations/redriver';
import { MailboxController } from './operations/mailbox.controller';
import { ProcessesController, SupervisorChannel } from './operations/processes.controller';
import { ProductsController } from './products/products.controller';
import { WebController } from './web/web.controller';
import { DeliveriesController } from './webhooks/deliveries.controller';
import { WebhookReceiver } from './webhooks/webhook-receiver';
import { WebhookReceiverController } from './webhooks/webhook-receiver.controller';
import { WebhooksController } from './webhooks/webhooks.controller';
import { WebhookUrls } from './webhooks/webhook-urls';

/** Streams live five to ten minutes. Then an ended session, or a reader that is gone behind a proxy, is detected. */
const streamLifeMs = 5 * 60 * 1_000;

@Module({})
export class ApiModule {
  static with(settings: ApiSettings, access: Access): DynamicModule {
    const topology = { queues: queuesOf(jobDefinitions), events: eventDefinitions };
    const receiverUrl = receiverUrlOf(settings);
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
        StorageModule.register(settings),
        // Only for reading the queues. No job request waits for a broker.
        ...drivers.imports,
        boardModule(access),
        TenantThrottle.module(settings.THROTTLE_PER_SECOND),
      ],
      controllers: [
        EmailsController,
        SmsController,
        SyncRunsController,
        ProductsController,
        ReportsController,
        JobsController,
        LiveController,
        WebhooksController,
        DeliveriesController,
        ImagesController,
        FilesController,
        BrokersController,
        DeadLettersController,
        HealthController,
        WebController,
        SessionController,
        AsyncApiController,
        ...(settings.NODE_ENV === 'production'
          ? []
          : [MailboxController, ProcessesController, WebhookReceiverController]),
      ],
      providers: [
        drivers.provider,
        { provide: Sessions, useValue: access.sessions },
        AsyncApiController.documentOf(settings, topology),
        JobIntake,
        ...webhookProviders(settings),
        WebhookUrls,
        ...(receiverUrl === undefined
          ? []
          : [
              {
                provide: WebhookReceiver,
                inject: [Endpoints],
                useFactory: (endpoints: Endpoints) => new WebhookReceiver(endpoints, receiverUrl),
              },
            ]),
        UploadIntake,
        {
          provide: FileLinks,
          useValue: new FileLinks(signingKey('file link', settings.API_KEYS ?? [], settings.SIGNING_SECRET)),
        },
        Board,
        { provide: BoardPool, useFactory: () => BoardPool.at(settings.DATABASE_URL) },
        Redriver,
        {
          provide: Streams,
          useValue: new Streams(
            { perProcess: settings.STREAMS_PER_PROCESS, perTenant: settings.STREAMS_PER_TENANT },
            { heartbeatMs: settings.STREAM_HEARTBEAT_MS, stallMs: settings.STREAM_STALL_MS, lifeMs: streamLifeMs },
          ),
        },
        {
          provide: LogOuts,
          inject: [Pool, Streams],
          useFactory: (pool: Pool, streams: Streams) => new LogOuts(pool, streams),
        },
        {
          provide: LiveFeed,
          inject: [Pool, MessagingSignals, FileLinks],
          useFactory: (pool: Pool, signals: MessagingSignals, links: FileLinks) =>
            new LiveFeed(pool, signals, links, directUrl(settings)),
        },
        ...observers(settings),
        Readiness,
        ...(settings.NODE_ENV === 'production' ? [] : [SupervisorChannel]),
        { provide: APP_FILTER, useClass: ProblemFilter },
        // In this order, the throttle counts only requests with access.
        { provide: APP_GUARD, useValue: new AccessGuard(settings.NODE_ENV === 'production') },
        { provide: APP_GUARD, useClass: TenantThrottle },
        // Runs after the guards, so no body of a refused caller is read.
        { provide: APP_INTERCEPTOR, useClass: ReadJsonBody },
      ],
      exports: [DRIVERS],
    };
  }
}
