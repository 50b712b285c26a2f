import { Kafka, logLevel } from 'kafkajs';
import { uniqueName } from '../support/core';
import { isUnreachable, nowhere, runDoctor } from '../support/doctor';

const { TEST_KAFKA_BROKERS } = process.env;

(TEST_KAFKA_BROKERS === undefined ? describe.skip : describe)('npm run doctor on Kafka', () => {
  const doctor = (KAFKA_BROKERS: string | undefined, BROKER_PREFIX: string) =>
    runDoctor({ DATABASE_URL: process.env['TEST_POSTGRES_URL'], KAFKA_BROKERS, BROKER_PREFIX });

  it('accepts that no topic exists yet, and names one with too few partitions and a codec that kafkajs cannot read', async () => {
    const prefix = `${uniqueName()}.`;
    expect(doctor(TEST_KAFKA_BROKERS, prefix).stdout).toContain('ok    its topics have the partitions');
    const topic = `${prefix}email`;
    const kafka = new Kafka({ brokers: TEST_KAFKA_BROKERS!.split(','), logLevel: logLevel.NOTHING });
    const admin = kafka.admin();
    await admin.connect();
    const configEntries = [{ name: 'compression.type', value: 'lz4' }];
    await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: 1, configEntries }] });
    const { failed } = doctor(TEST_KAFKA_BROKERS, prefix);
    await admin.deleteTopics({ topics: [topic] });
    await admin.disconnect();
    expect(failed).toContainEqual(expect.stringMatching(`FAIL  its topics have the partitions .*${topic}: 1 of \\d+`));
    expect(failed).toContain(`  FAIL  its topics are compressed in a way that kafkajs can read: ${topic}: lz4`);
  });

  it('says why it cannot be reached', () => {
    expect(doctor(nowhere, '').failed).toContainEqual(isUnreachable);
  });
});
