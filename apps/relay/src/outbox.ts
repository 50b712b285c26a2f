import type { BrokerDriver } from '@app/messaging';
import {
  nextDueMs,
  removeEvents,
  removePublished,
  takeDue,
  takeEvents,
  type Database,
  type EventOutboxRow,
  type OutboxRow,
} from '@app/persistence';

/** What is due for one broker. */
export interface Due {
  readonly count: number;
  publish(): Promise<void>;
  /** In the transaction that they were taken in, once they are published. */
  remove(): Promise<void>;
}

/** Where a publish loop takes its rows from. */
export interface Outbox {
  readonly broker: string;
  /** Locks what is due until the end of the transaction. */
  take(transaction: Database, limit: number): Promise<Due>;
  /** Milliseconds until something is due, as far as that is known beforehand. */
  nextDueMs(database: Database): Promise<number | undefined>;
}

export function jobOutbox(driver: BrokerDriver): Outbox {
  return {
    broker: driver.name,
    take: async (transaction, limit) => {
      const rows = await takeDue(transaction, driver.name, limit);
      return {
        count: rows.length,
        publish: () => driver.publish(rows.map(toMessage)),
        remove: () => removePublished(transaction, rows),
      };
    },
    nextDueMs: (database) => nextDueMs(database, driver.name),
  };
}

/** @param kinds the events that go by this broker */
export function eventOutbox(driver: BrokerDriver, kinds: readonly string[]): Outbox {
  return {
    broker: driver.name,
    take: async (transaction, limit) => {
      const rows = await takeEvents(transaction, driver.name, kinds, limit);
      return {
        count: rows.length,
        publish: () => driver.publishEvents(rows.map(toEvent)),
        remove: () => removeEvents(transaction, rows),
      };
    },
    // An event is due when it is there: whoever writes one wakes the loop.
    nextDueMs: () => Promise.resolve(undefined),
  };
}

function toMessage({ jobId, orderKey, traceparent, ...row }: OutboxRow) {
  return { ...row, id: jobId, orderKey: orderKey ?? undefined, traceparent: traceparent ?? undefined };
}

function toEvent({ key, traceparent, ...row }: EventOutboxRow) {
  return { ...row, key: key ?? undefined, traceparent: traceparent ?? undefined };
}
