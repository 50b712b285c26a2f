import '../../../libs/configuration/src/check-node.cjs';
import '../../../libs/observability/src/tracing/instrument.cjs';
import 'reflect-metadata';
import { Pool } from 'pg';
import { BrokerRoutes, brokerRoutes } from '@app/configuration';
import { DatabaseModule } from '@app/database';
import { jobDefinitions } from '@app/features/catalogue';
import { deliverWebhook, finishedJobs, TargetGuard, webhookProviders } from '@app/features/webhook';
import { OutboxWakeUp } from '@app/ledger';
import { Bulkhead, JobsService, MessagingSignals } from '@app/messaging';
import { runWorker } from '@app/observability';
import { readWorkerSettings } from './config';
import { DeliverWebhookHandler } from './deliver-webhook.handler';
import { TellEndpointsHandler } from './tell-endpoints.handler';
import { WebhookClient } from './webhook-client';

/** How many of its tenant's slots in a process one endpoint may use. */
const perEndpoint = 5;

void runWorker('webhook-worker', readWorkerSettings, (settings) => ({
  database: DatabaseModule,
  jobs: [deliverWebhook],
  subscriptions: [finishedJobs],
  providers: [
    DeliverWebhookHandler,
    TellEndpointsHandler,
    ...webhookProviders(settings),
    { provide: BrokerRoutes, useValue: brokerRoutes(settings, jobDefinitions) },
    {
      provide: JobsService,
      inject: [Pool, OutboxWakeUp, BrokerRoutes, MessagingSignals],
      useFactory: (...parts: ConstructorParameters<typeof JobsService>) => new JobsService(...parts),
    },
    { provide: WebhookClient, inject: [TargetGuard], useFactory: (guard: TargetGuard) => new WebhookClient(guard) },
    { provide: Bulkhead, useValue: new Bulkhead(perEndpoint) },
  ],
}));
