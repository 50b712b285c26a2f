import 'reflect-metadata';
import { Pool } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import type { AcceptedJob } from '@app/ledger';
import { JobsService } from '@app/messaging';
import { runProcess } from '@app/observability';
import { readApiSettings } from '../../apps/api/src/config';
import { createApi } from '../../apps/api/src/create-api';

/**
 * The real API, with all that it does for a request, but one INSERT in place of a job: what it takes less time than the API
 * is the price of the ledger.
 */
void runProcess('one-insert-api', readApiSettings, async (settings) => {
  const app = await createApi(settings);
  const pool = app.get(Pool);
  const text = 'INSERT INTO bench_job (id, payload) VALUES ($1, $2)';
  app.get(JobsService).enqueue = async (definition, payload): Promise<AcceptedJob> => {
    const id = uuidv7();
    await pool.query({ name: 'insert', text, values: [id, JSON.stringify(payload)] });
    const { kind, version, broker, retry } = definition;
    const now = new Date();
    const job = { id, kind, version, broker, maxAttempts: retry.attempts, createdAt: now, runAt: now };
    return { ...job, state: 'queued', replayed: false, bodyHash: null };
  };
  await app.listen(settings.PORT, settings.HOST);
  return { stop: () => app.close() };
});
