import { Module, type DynamicModule } from '@nestjs/common';
import { Pool } from 'pg';
import { brokerRoutes } from '@app/configuration';
import { deliverWebhook } from '@app/contracts';
import { Bulkhead, JobsService, MessagingSignals, WorkerMessagingModule } from '@app/messaging';
import { loggingModule, observers } from '@app/observability';
import { OutboxWakeUp, PersistenceModule, workerPool } from '@app/persistence';
import { TargetGuard, webhookProviders } from '@app/webhooks';
import type { WebhookWorkerSettings } from './config';
import { DeliverWebhookHandler } from './deliver-webhook.handler';
import { finishedJobs, TellEndpointsHandler } from './tell-endpoints.handler';
import { WebhookClient } from './webhook-client';

const application = 'webhook-worker';

/** How many of its tenant's slots in a process one endpoint may use. */
const perEndpoint = 5;

@Module({})
export class WorkerModule {
  static with(settings: WebhookWorkerSettings): DynamicModule {
    const routes = brokerRoutes(settings);
    return {
      module: WorkerModule,
      imports: [
        loggingModule({ application, level: settings.LOG_LEVEL, format: settings.LOG_FORMAT }),
        PersistenceModule.forRoot({ databaseUrl: settings.DATABASE_URL, application, pool: workerPool }),
        WorkerMessagingModule.register(application, [deliverWebhook], settings, [finishedJobs]),
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
