import '../../../libs/configuration/src/check-node.cjs';
import '../../../libs/observability/src/tracing/instrument.cjs';
import 'reflect-metadata';
import { DatabaseModule } from '@app/database';
import { syncRun } from '@app/features/product';
import { replayingBrokers } from '@app/messaging';
import { runWorker } from '@app/observability';
import { audit, AuditHandler } from './audit.handler';
import { readWorkerSettings } from './config';
import { replayWorker } from './replay-worker';
import { search, SearchHandler } from './search.handler';
import { SyncRunHandler } from './sync-run.handler';

/** A replay uses only the brokers that can replay. @throws ConfigurationError */
const readSyncSettings = () => {
  const settings = readWorkerSettings();
  return settings.SYNC_REPLAY === undefined ? settings : replayingBrokers(settings, 'SYNC_REPLAY');
};

void runWorker('sync-worker', readSyncSettings, ({ SYNC_REPLAY: subscriber }) => {
  if (subscriber !== undefined) return replayWorker(subscriber);
  return {
    database: DatabaseModule,
    jobs: [syncRun],
    subscriptions: [search, audit],
    providers: [SearchHandler, AuditHandler, SyncRunHandler],
  };
});
