import {
  failRefused,
  nextDueMs,
  refuseEvents,
  removeEvents,
  removePublished,
  takeDue,
  takeEvents,
  type Database,
  type EventOutboxRow,
  type OutboxRow,
} from '@app/ledger';
import { encodeEvent, messageSource } from '../port/job-message';
import { type BrokerDriver } from '../port/broker-driver';

/** The rows that are due for one broker. */
export interface Due {
  /** The ids of jobs or events, in the order in which they are published. */
  readonly ids: readonly string[];
  publish(): Promise<void>;
  /** Deletes published rows, in the transaction that took them. @param places of the published rows */
  remove(places: ReadonlySet<number>): Promise<void>;
  /**
   * Dead-letters the rows that the broker refuses for good, in the same transaction. @param refused the reasons by
   * place
   */
  refuse(refused: ReadonlyMap<number, string>): Promise<void>;
}

/** The source of a publish loop. */
export interface Outbox {
  readonly broker: string;
  /** Locks the rows that are due until the end of the transaction. */
  take(transaction: Database, limit: number): Promise<Due>;
  /** @returns milliseconds until the next row is due; undefined when this is not known in advance */
  nextDueMs(database: Database): Promise<number | undefined>;
}

/** The outbox of the jobs that are routed to this broker. */
export function jobOutbox(driver: BrokerDriver): Outbox {
  return {
    broker: driver.name,
    take: async (transaction, limit) => {
      const rows = await takeDue(transaction, driver.name, limit);
      return {
        ids: rows.map(({ jobId }) => jobId),
        publish: () => driver.publish(rows.map(toMessage)),
        remove: (places) =>
          removePublished(
            transaction,
            rows.filter((_, place) => places.has(place)),
          ),
        refuse: (refused) =>
          failRefused(
            transaction,
            [...refused].map(([place, reason]) => ({ ...rows[place]!, reason })),
          ),
      };
    },
    nextDueMs: (database) => nextDueMs(database, driver.name),
  };
}

/** @param kinds the events that are routed to this broker */
export function eventOutbox(driver: BrokerDriver, kinds: readonly string[]): Outbox {
  return {
    broker: driver.name,
    take: async (transaction, limit) => {
      const rows = await takeEvents(transaction, driver.name, kinds, limit);
      return {
        ids: rows.map(({ id }) => id),
        publish: () => driver.publishEvents(rows.map(toEvent)),
        remove: (places) =>
          removeEvents(
            transaction,
            rows.filter((_, place) => places.has(place)),
          ),
        refuse: (refused) =>
          refuseEvents(
            transaction,
            { broker: driver.name, source: messageSource },
            [...refused].map(([place, reason]) => {
              const row = rows[place]!;
              return { ...row, reason, raw: Buffer.from(JSON.stringify(encodeEvent(toEvent(row)))) };
            }),
          ),
      };
    },
    // An event is due at once, and its writer wakes the loop.
    nextDueMs: () => Promise.resolve(undefined),
  };
}

function toMessage({ jobId, orderKey, traceparent, ...row }: OutboxRow) {
  return { ...row, id: jobId, orderKey: orderKey ?? undefined, traceparent: traceparent ?? undefined };
}

function toEvent({ key, traceparent, ...row }: EventOutboxRow) {
  return { ...row, key: key ?? undefined, traceparent: traceparent ?? undefined };
}
