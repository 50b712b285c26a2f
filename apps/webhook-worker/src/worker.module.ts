import { Module, type DynamicModule } from '@nestjs/common';
import { Pool } from 'pg';
import { brokerRoutes } from '@app/configuration';
import { jobDefinitions } from '@app/features/catalogue';
import { deliverWebhook, finishedJobs, TargetGuard, webhookProviders } from '@app/features/webhook';
import { Bulkhead, JobsService, MessagingSignals, WorkerMessagingModule } from '@app/messaging';
import { loggingModule, observers } from '@app/observability';
import { OutboxWakeUp, workerPool } from '@app/ledger';
import { DatabaseModule } from '@app/database';
import type { WebhookWorkerSettings } from './config';
import { DeliverWebhookHandler } from './deliver-webhook.handler';
import { TellEndpointsHandler } from './tell-endpoints.handler';
import { WebhookClient } from './webhook-client';

const application = 'webhook-worker';

/** How many of its tenant's slots in a process one endpoint may use. */
const perEndpoint = 5;

@Module({})
export class WorkerModule {
  static forRoot(settings: WebhookWorkerSettings): DynamicModule {
    const routes = brokerRoutes(settings, jobDefinitions);
    return {
      module: WorkerModule,
      imports: [
        loggingModule({ application, level: settings.LOG_LEVEL, format: settings.LOG_FORMAT }),
        DatabaseModule.forRoot({ databaseUrl: settings.DATABASE_URL, application, pool: workerPool }),
        WorkerMessagingModule.forRoot({ application, settings, jobs: [deliverWebhook], subscriptions: [finishedJobs] }),
      ],
      providers: [
        ...observers(settings),
        ...webhookProviders(settings),
        {
          provide: JobsService,
          inject: [Pool, OutboxWakeUp, MessagingSignals],
          useFactory: (pool: Pool, wakeUp: OutboxWakeUp, signals: MessagingSignals) =>
            new JobsService(pool, wakeUp, routes, signals),
        },
        {
          provide: WebhookClient,
          inject: [TargetGuard],
          useFactory: (guard: TargetGuard) => new WebhookClient(guard),
        },
        { provide: Bulkhead, useValue: new Bulkhead(perEndpoint) },
        TellEndpointsHandler,
        DeliverWebhookHandler,
      ],
    };
  }
}
