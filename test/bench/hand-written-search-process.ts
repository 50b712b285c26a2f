import { Kafka, logLevel, type KafkaMessage } from 'kafkajs';
import { Pool, type PoolClient } from 'pg';
import { productChanged } from '@app/features/product';
import { FinishLine } from './drain/finish-line';

/**
 * What a good engineer writes by hand to keep the same model with the same protection, and no more: a batch of kafkajs
 * is one transaction, which records the events and writes the products. It uses nothing of the library except the
 * names of its tables, and its model has no generations.
 */

// kafkajs 2 warns about the partitioner of kafkajs 1, which this project has never used.
process.env['KAFKAJS_NO_PARTITIONER_WARNING'] = '1';

const upsertText = `
  WITH newest AS (
    SELECT DISTINCT ON (tenant, sku) *
      FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[], $6::int[], $7::timestamptz[])
        AS changed(tenant, sku, name, description, price_cents, version, updated_at)
     ORDER BY tenant, sku, version DESC
  )
  INSERT INTO product_search AS known (tenant, generation, sku, name, description, price_cents, version, updated_at)
  SELECT tenant, 0, sku, name, description, price_cents, version, updated_at FROM newest ORDER BY tenant, sku
  ON CONFLICT (tenant, generation, sku) DO UPDATE
     SET name = excluded.name, description = excluded.description, price_cents = excluded.price_cents,
         version = excluded.version, updated_at = excluded.updated_at
   WHERE excluded.version > known.version`;

const noteText = `
  INSERT INTO processed_message (consumer, message_id) SELECT 'search', unnest($1::uuid[])
  ON CONFLICT DO NOTHING RETURNING message_id`;

interface ProductEvent {
  readonly id: string;
  readonly tenant: string;
  readonly data: Record<'sku' | 'name' | 'description' | 'priceCents' | 'version' | 'updatedAt', unknown>;
}

const prefix = process.env['BROKER_PREFIX']!;
const topic = `${prefix}${productChanged.kind}`;
const kafka = new Kafka({ brokers: process.env['KAFKA_BROKERS']!.split(','), logLevel: logLevel.NOTHING });
const consumer = kafka.consumer({ groupId: `${topic}.search`, allowAutoTopicCreation: false });
const pool = new Pool({ connectionString: process.env['DATABASE_URL'], max: 4, keepAlive: true });

async function work(client: PoolClient, messages: readonly KafkaMessage[]): Promise<void> {
  const events = messages.map(({ value }) => JSON.parse(value!.toString()) as ProductEvent);
  await client.query('BEGIN');
  const noted = await client.query<{ message_id: string }>({
    name: 'note',
    text: noteText,
    values: [events.map(({ id }) => id).sort()],
  });
  const fresh = new Set(noted.rows.map(({ message_id }) => message_id));
  const first = events.filter(({ id }) => fresh.delete(id));
  const all = (name: keyof ProductEvent['data']) => first.map(({ data }) => data[name]);
  await client.query({
    name: 'upsert',
    text: upsertText,
    values: [
      first.map(({ tenant }) => tenant),
      ...(['sku', 'name', 'description', 'priceCents', 'version', 'updatedAt'] as const).map(all),
    ],
  });
  await client.query('COMMIT');
}

const line = new FinishLine(
  () =>
    void consumer.run({
      autoCommit: false,
      partitionsConsumedConcurrently: productChanged.partitions,
      eachBatch: async ({ batch }) => {
        const { partition, messages } = batch;
        const client = await pool.connect();
        await work(client, messages).finally(() => client.release());
        line.runs += messages.length;
        line.passed(messages.length);
        await consumer.commitOffsets([{ topic, partition, offset: String(BigInt(batch.lastOffset()) + 1n) }]);
      },
    }),
);

async function stop(): Promise<void> {
  await consumer.disconnect();
  await pool.end();
  process.exit(0);
}

for (const signal of ['SIGTERM', 'disconnect']) process.once(signal, () => void stop());

void (async () => {
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  process.send!('ready');
})();
