import type { PinoLogger } from 'nestjs-pino';
import { reasonOf, type MessagingSignals } from '@app/messaging';

/** Turns the signals of the core into log lines. No other code logs them. */
export function logSignals(signals: MessagingSignals, logger: PinoLogger): void {
  signals.on('accepted', ({ id, kind, broker }) => logger.info({ jobId: id, kind, broker }, 'job accepted'));
  signals.on('published', (broker, count) => logger.debug({ broker, count }, 'messages published'));
  signals.on('publish_failed', (broker, error, retryInMs) =>
    logger.warn({ broker, reason: reasonOf(error), retryInMs }, 'broker accepts no messages; they wait in the outbox'),
  );
  signals.on('message_refused', (broker, id, reason) =>
    logger.error({ broker, id, reason }, 'broker refused a message; it is dead-lettered'),
  );
  signals.on('subscribed', (broker, queue) => logger.info({ broker, queue }, 'subscribed'));
  signals.on('claimed', ({ id, kind, attempt }) => logger.debug({ jobId: id, kind, attempt }, 'job claimed'));
  signals.on('settled', ({ id, kind, attempt }, { state, delayMs, error }, tookMs) => {
    const again = state === 'queued' && { againInMs: delayMs };
    const fields = { jobId: id, kind, attempt, tookMs: Math.round(tookMs), ...again, ...(error && { reason: error }) };
    logger[error ? 'warn' : 'info'](fields, `job ${state}`);
  });
  signals.on('stale', ({ broker, queue }, id, dispatch) =>
    logger.debug({ jobId: id, dispatch, broker, queue }, 'stale message dropped'),
  );
  signals.on('fenced', ({ id, kind, dispatch }) =>
    logger.warn({ jobId: id, kind, dispatch }, 'lease was lost; the outcome of the handler was not recorded'),
  );
  signals.on('dead_lettered', ({ broker, queue }, reason, detail) =>
    logger.warn({ broker, queue, reason, detail }, 'unreadable message dead-lettered'),
  );
  signals.on('delivery_failed', ({ broker, queue }, error) =>
    logger.error({ broker, queue, reason: reasonOf(error) }, 'a delivery could not be processed'),
  );
  signals.on('foreign_event_enqueued', ({ id, kind, replayed }, source) =>
    logger.info(
      { jobId: id, kind, source },
      replayed ? 'event of another service received again' : 'event of another service enqueued as a job',
    ),
  );
  signals.on('redriven', (jobIds, by) => logger.warn({ jobIds, by }, 'failed jobs redriven'));
  signals.on('redrive_ended', (redriveId, state) => logger.warn({ redriveId }, `redrive ${state}`));
  signals.on('swept', ({ id, kind, state, attempt }) =>
    logger.warn({ jobId: id, kind, attempt }, `lease expired; job ${state}`),
  );
  signals.on('forgotten', (broker, queue, count) =>
    logger.warn({ broker, queue, count }, 'the broker lost messages; their jobs are dispatched again'),
  );
  signals.on('deleted', (what, count) => logger.debug({ what, count }, 'rows older than their retention deleted'));
  signals.on('retention_failed', (what, error, retryInMs) =>
    logger.warn(
      { what, reason: reasonOf(error), retryInMs },
      'what is older than its retention was not deleted; retrying',
    ),
  );
  signals.on('reconcile_failed', (broker, error, retryInMs) =>
    logger.warn(
      { broker, reason: reasonOf(error), retryInMs },
      'broker does not report the depth of a queue; retrying',
    ),
  );
  signals.on('event_failed', (kind, subscriber, eventId, error, retryInMs) =>
    logger.warn({ kind, subscriber, eventId, reason: reasonOf(error), retryInMs }, 'event not handled; retrying'),
  );
  signals.on('events_handled', (kind, subscriber, fresh, together) =>
    logger.debug({ kind, subscriber, fresh, together }, 'events handled'),
  );
  signals.on('database_away', (what, error, retryInMs) =>
    logger.warn({ what, reason: reasonOf(error), retryInMs }, 'PostgreSQL did not carry out a request; retrying'),
  );
}
