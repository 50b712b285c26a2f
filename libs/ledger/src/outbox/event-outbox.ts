import { toStorable, type DataOf, type EventDefinition } from '@app/contracts';
import type { Transaction } from '../transaction';
import { columnsOf, statement, type Database } from '../statement';
import { SearchPace } from './search-pace';

export interface EventOutboxRow {
  readonly rowId: string;
  readonly id: string;
  readonly kind: string;
  readonly version: number;
  readonly tenant: string;
  readonly key: string | null;
  readonly traceparent: string | null;
  readonly data: unknown;
  readonly at: Date;
}

/** In bytes. Keeps every message below the limits of the brokers and of our own consumers. */
const maxDataBytes = 60 * 1024;

/**
 * Writes an event in the transaction of the change that it describes: it is published if, and only if, that commits.
 * Wake the relay afterwards.
 * @throws ZodError for data that do not fit the event's schema; RangeError for more than 60 KiB of data
 */
export async function recordEvent<E extends EventDefinition>(
  tx: Transaction,
  event: E,
  data: DataOf<E>,
  { tenant, traceparent }: { tenant: string; traceparent?: string | undefined },
): Promise<void> {
  const text = JSON.stringify(event.data.parse(data));
  const bytes = Buffer.byteLength(text);
  if (bytes > maxDataBytes) {
    throw new RangeError(
      `${event.kind}: expected at most ${maxDataBytes} bytes of data, got ${bytes}. Send a reference in place of the content.`,
    );
  }
  const key = event.key?.(data as never) ?? null;
  await tx.$executeRaw`
    INSERT INTO event_outbox (kind, version, tenant, key, traceparent, data)
    VALUES (${event.kind}, ${event.version}::smallint, ${tenant}, ${key}, ${traceparent ?? null}, ${text}::jsonb)`;
}

/**
 * Takes events in the order of their ids. An advisory lock lets one relay at a time take events of a broker, so that no
 * relay overtakes another.
 */
const takeStatement = statement<EventOutboxRow>('event_outbox_take').with(
  { kinds: 'text[]', broker: 'text', from: 'bigint', limit: 'int' },
  ($) => `SELECT id AS "rowId", event_id AS id, kind, version, tenant, key, traceparent, data, at
     FROM event_outbox
    WHERE kind = ANY(${$.kinds}) AND id >= ${$.from}
      AND (SELECT pg_try_advisory_xact_lock(hashtextextended('event_outbox ' || ${$.broker}, 0)))
    ORDER BY event_outbox.id
    LIMIT ${$.limit}
      FOR UPDATE SKIP LOCKED`,
);

/** The events of one broker. A search begins where the last one ended; `SearchPace` says why. */
export class EventRows {
  private cursor = '0';

  constructor(
    private readonly broker: string,
    private readonly kinds: readonly string[],
    private readonly pace = new SearchPace(),
  ) {}

  /**
   * Must run in a transaction, which locks the rows until they are published and removed.
   * @returns at most `limit` rows; none while another relay takes events of this broker
   */
  async take(transaction: Database, limit: number): Promise<EventOutboxRow[]> {
    const { broker, kinds, pace } = this;
    const from = pace.begin() ? '0' : this.cursor;
    const rows = await takeStatement.run(transaction, { kinds, broker, from, limit });
    pace.end();
    this.cursor = rows.at(-1)?.rowId ?? this.cursor;
    return rows;
  }
}

const removeStatement = statement<never>('event_outbox_remove').with(
  { rowId: 'bigint[]' },
  ($) => `DELETE FROM event_outbox WHERE id = ANY(${$.rowId})`,
);

/** Deletes events that the broker has confirmed, in the transaction that took them. */
export async function removeEvents(transaction: Database, rows: readonly EventOutboxRow[]): Promise<void> {
  await removeStatement.run(transaction, columnsOf(rows, 'rowId'));
}

/** An event that its broker refuses for good. */
export interface RefusedEvent extends Pick<EventOutboxRow, 'rowId' | 'kind' | 'tenant'> {
  readonly reason: string;
  /** The whole message. */
  readonly raw: Buffer;
}

const refuseStatement = statement<never>('event_outbox_refuse').with(
  {
    broker: 'text',
    source: 'text',
    rowId: 'bigint[]',
    kind: 'text[]',
    tenant: 'text[]',
    reason: 'text[]',
    raw: 'bytea[]',
  },
  ($) => `WITH refused AS (
     SELECT * FROM unnest(${$.rowId}, ${$.kind}, ${$.tenant}, ${$.reason}, ${$.raw})
         AS refused(id, kind, tenant, detail, raw)
   ), removed AS (
     DELETE FROM event_outbox USING refused WHERE event_outbox.id = refused.id
   )
   INSERT INTO dead_letter (broker, queue, tenant, kind, reason, detail, raw, source)
   SELECT ${$.broker}, kind, tenant, kind, 'message_refused', detail, raw, ${$.source} FROM refused`,
);

/** Moves events from the outbox to the dead letters. Runs in the transaction that took them. */
export async function refuseEvents(
  transaction: Database,
  { broker, source }: { broker: string; source: string },
  refused: readonly RefusedEvent[],
): Promise<void> {
  await refuseStatement.run(transaction, {
    broker,
    source,
    ...columnsOf(refused, 'rowId', 'kind', 'tenant', 'raw'),
    reason: refused.map(({ reason }) => toStorable(reason)),
  });
}
