import { RabbitmqNames, subscriberQueue, type BrokerTopology, type EventTopology } from '@app/messaging';
import { serverAt, type BrokerChannel, type BrokerDescription } from './broker-description';

const bindingVersion = '0.3.0';

const exchange = (name: string, type: 'direct' | 'topic' | 'fanout') => ({
  amqp: { is: 'routingKey', exchange: { name, type, durable: true, autoDelete: false }, bindingVersion },
});

const queue = (name: string) => ({
  amqp: { is: 'queue', queue: { name, durable: true, exclusive: false, autoDelete: false }, bindingVersion },
});

/** Describes what the driver declares, as far as other services use it. */
export function describeRabbitmq(
  { url, prefix }: { readonly url: string; readonly prefix: string },
  { queues, events }: BrokerTopology,
): BrokerDescription {
  const names = new RabbitmqNames(prefix);
  return {
    broker: 'rabbitmq',
    servers: [{ ...serverAt(url), protocolVersion: '0.9.1' }],
    channels: [
      ...queues.flatMap((known) => jobChannels(names, known.queue)),
      ...events.flatMap((event) => eventChannels(names, event)),
    ],
  };
}

function jobChannels(names: RabbitmqNames, name: string): BrokerChannel[] {
  const carries = { jobsOf: name };
  return [
    {
      name: `direct.${name}`,
      address: name,
      description:
        'The routing key of a queue at the exchange of all jobs. A queue of your own that you bind to it gets a copy of each message.',
      carries,
      sends: true,
      bindings: exchange(names.jobs, 'direct'),
    },
    {
      name: `queue.${name}`,
      address: names.queue(name),
      description:
        'A quorum queue for the workers only. It is bound to the exchange of all jobs, and the default exchange reaches it too.',
      carries,
      receives: true,
      bindings: queue(names.queue(name)),
    },
  ];
}

function eventChannels(names: RabbitmqNames, { kind, subscribers }: EventTopology): BrokerChannel[] {
  const carries = { event: kind };
  return [
    {
      name: `topic.${kind}`,
      address: kind,
      description: 'The routing key of a kind at the exchange of all events. Bind a queue of your own to receive them.',
      carries,
      sends: true,
      bindings: exchange(names.events, 'topic'),
    },
    {
      name: `fanout.${kind}`,
      address: kind,
      description:
        'Gets the events of the kind from the exchange of all events. Each subscriber has one queue bound to it.',
      carries,
      bindings: exchange(names.event(kind), 'fanout'),
    },
    ...subscribers.map((subscriber) => ({
      name: `queue.${subscriberQueue(kind, subscriber)}`,
      address: names.subscriber(kind, subscriber),
      description: `A quorum queue for the subscriber ${subscriber} only.`,
      carries,
      receives: true,
      bindings: queue(names.subscriber(kind, subscriber)),
    })),
  ];
}
