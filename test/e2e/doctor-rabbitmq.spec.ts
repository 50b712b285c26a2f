import { connect } from 'amqplib';
import { uniqueName } from '../support/core';
import { isUnreachable, nowhere, runDoctor } from '../support/doctor';

const { TEST_RABBITMQ_URL } = process.env;

(TEST_RABBITMQ_URL === undefined ? describe.skip : describe)('npm run doctor on RabbitMQ', () => {
  const doctor = (RABBITMQ_URL: string | undefined, BROKER_PREFIX: string) =>
    runDoctor({ DATABASE_URL: process.env['TEST_POSTGRES_URL'], RABBITMQ_URL, BROKER_PREFIX });

  it('accepts that no queue exists yet, and names one that is no quorum queue', async () => {
    const prefix = `${uniqueName()}.`;
    expect(doctor(TEST_RABBITMQ_URL, prefix).stdout).toContain('ok    its queues are quorum queues');
    const connection = await connect(TEST_RABBITMQ_URL!);
    const channel = await connection.createChannel();
    await channel.assertQueue(`${prefix}email`, { durable: true });
    const { failed } = doctor(TEST_RABBITMQ_URL, prefix);
    await channel.deleteQueue(`${prefix}email`);
    await connection.close();
    expect(failed).toContainEqual(
      expect.stringMatching(`FAIL  its queues are quorum .*${prefix}email: .*PRECONDITION_FAILED`),
    );
  });

  it('says why it cannot be reached', () => {
    expect(doctor(`amqp://${nowhere}`, '').failed).toContainEqual(isUnreachable);
  });
});
