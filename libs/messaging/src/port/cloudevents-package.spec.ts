import { CloudEvent, Kafka as KafkaBinding } from 'cloudevents';
import { fromBinaryMode } from './binary-mode';
import { parseMessage } from './job-message';

describe('a CloudEvent in binary mode as the cloudevents package writes it', () => {
  it('is parsed to the same event as in structured mode', () => {
    const event = new CloudEvent({
      id: 'order-4711',
      source: 'https://shop.example.com/orders',
      type: 'parcel.sent.v1',
      tenant: 'shop',
      data: { to: '+4915112345678', text: 'Grüße' },
    });
    const { headers, value } = KafkaBinding.binary(event);
    const native = { headers, contentType: 'application/json', bytes: Buffer.from(JSON.stringify(value)) };
    const body = fromBinaryMode(native, ['ce_']);
    expect(body).not.toBe(native.bytes);
    expect(parseMessage(body)).toEqual(parseMessage(Buffer.from(JSON.stringify(event))));
  });
});
