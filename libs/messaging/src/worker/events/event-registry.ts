import { Injectable } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import type { EventDefinition } from '@app/contracts';
import type { BrokerConsumer, EventSubscription } from '../../port/consumer';
import { findHandlers } from '../handlers/handler-registry';
import { eventHandlerMark, type HandlesEvents } from './event-handler';

export interface RegisteredEventHandler {
  readonly subscription: EventSubscription;
  readonly handler: HandlesEvents<EventDefinition>;
}

@Injectable()
export class EventRegistry {
  constructor(private readonly discovery: DiscoveryService) {}

  /**
   * @param served the subscriptions of this process
   * @returns the handler of each
   * @throws BootCheckError for a subscription without exactly one handler, for a subscriber that its event does not
   *   name, for a handler of another subscription, and for a replay that a broker cannot do
   */
  resolve(
    served: readonly EventSubscription[],
    drivers: readonly Pick<BrokerConsumer, 'name' | 'capabilities'>[],
  ): RegisteredEventHandler[] {
    const faults = [
      ...served
        .filter(({ event, subscriber }) => !event.subscribers.includes(subscriber))
        .map(
          (subscription) =>
            `${nameOf(subscription)}: expected one of the subscribers that the event names ` +
            `(${subscription.event.subscribers.join(', ') || 'none'})`,
        ),
      ...served.flatMap((subscription) => drivers.flatMap((driver) => replayFaults(subscription, driver))),
    ];
    const decorator = { name: '@EventHandler', mark: eventHandlerMark, handles: nameOf };
    const handlers = findHandlers<EventSubscription, HandlesEvents<EventDefinition>>(
      this.discovery,
      decorator,
      served,
      faults,
    );
    return served.map((subscription) => ({ subscription, handler: handlers.get(subscription)! }));
  }
}

/** A broker without replay would silently deliver no past events. */
export function replayFaults(
  subscription: EventSubscription,
  { name, capabilities }: Pick<BrokerConsumer, 'name' | 'capabilities'>,
): string[] {
  return subscription.from && capabilities.replay === 'none'
    ? [`${nameOf(subscription)}: begins in the past, which ${name} does not keep; leave "from" out`]
    : [];
}

export function nameOf({ event, subscriber }: EventSubscription): string {
  return `${event.kind} for ${subscriber}`;
}
