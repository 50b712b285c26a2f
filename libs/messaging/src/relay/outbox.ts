import {
  DueRows,
  EventRows,
  failRefused,
  refuseEvents,
  removeEvents,
  removePublished,
  type Database,
  type EventOutboxRow,
  type OutboxRow,
} from '@app/ledger';
import { encodeEvent, messageSource } from '../port/job-message';
import type { BrokerPublisher } from '../port/publisher';
import type { SentMessage } from '../tracing';

/**
 * The source of a publish loop: the rows that wait for one broker.
 * @typeParam Row its `id` is the id of the job or the event
 */
export interface Outbox<Row extends SentMessage = SentMessage> {
  readonly broker: string;
  /** Locks the rows that are due until the end of the transaction. @returns them in the order of publishing */
  take(transaction: Database, limit: number): Promise<Row[]>;
  publish(rows: readonly Row[]): Promise<void>;
  /** Deletes published rows, in the transaction that took them. */
  remove(transaction: Database, rows: readonly Row[]): Promise<void>;
  /** Dead-letters the rows that the broker refuses for good, in the same transaction. */
  refuse(transaction: Database, rows: readonly (Row & { readonly reason: string })[]): Promise<void>;
  /**
   * @returns milliseconds until the next row is due; undefined when there is none. Absent when every row is due at once:
   *   its writer wakes the loop
   */
  nextDueMs?(database: Database): Promise<number | undefined>;
}

/** The outbox of the jobs that are routed to this broker. */
export function jobOutbox(driver: BrokerPublisher): Outbox<OutboxRow> {
  const due = new DueRows(driver.name);
  return {
    broker: driver.name,
    take: (transaction, limit) => due.take(transaction, limit),
    publish: (rows) => driver.publish(rows),
    remove: removePublished,
    refuse: failRefused,
    nextDueMs: (database) => due.nextDueMs(database),
  };
}

/** @param kinds the events that are routed to this broker */
export function eventOutbox(driver: BrokerPublisher, kinds: readonly string[]): Outbox<EventOutboxRow> {
  const events = new EventRows(driver.name, kinds);
  return {
    broker: driver.name,
    take: (transaction, limit) => events.take(transaction, limit),
    publish: (rows) => driver.publishEvents(rows),
    remove: removeEvents,
    refuse: (transaction, rows) =>
      refuseEvents(
        transaction,
        { broker: driver.name, source: messageSource },
        rows.map((row) => ({ ...row, raw: Buffer.from(JSON.stringify(encodeEvent(row))) })),
      ),
  };
}
