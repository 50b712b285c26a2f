import { Injectable } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import type { EventDefinition } from '@app/contracts';
import type { BrokerDriver } from '../../port/broker-driver';
import { BootCheckError } from '../handlers/handler-registry';
import { eventHandlerMark, type EventSubscription, type HandlesEvents } from './event-handler';

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
    drivers: readonly Pick<BrokerDriver, 'name' | 'capabilities'>[],
  ): RegisteredEventHandler[] {
    const found = this.discovery.getProviders({ metadataKey: eventHandlerMark.KEY }).map((wrapper) => ({
      subscription: this.discovery.getMetadataByDecorator(eventHandlerMark, wrapper)!,
      handler: wrapper.instance as HandlesEvents<EventDefinition>,
    }));
    const handlersOf = (subscription: EventSubscription) =>
      found.filter((registered) => registered.subscription === subscription);
    const faults = [
      ...served.flatMap((subscription) => {
        const { length } = handlersOf(subscription);
        return length === 1
          ? []
          : [`${nameOf(subscription)}: expected one class with @EventHandler among the providers, got ${length}`];
      }),
      ...served
        .filter(({ event, subscriber }) => !event.subscribers.includes(subscriber))
        .map(
          (subscription) =>
            `${nameOf(subscription)}: expected one of the subscribers that the event names ` +
            `(${subscription.event.subscribers.join(', ') || 'none'})`,
        ),
      ...served.flatMap((subscription) => drivers.flatMap((driver) => replayFaults(subscription, driver))),
      ...found
        .filter(({ subscription }) => !served.includes(subscription))
        .map(({ subscription }) => `${nameOf(subscription)}: has a handler, but this worker does not serve it`),
    ];
    if (faults.length > 0) throw new BootCheckError(faults);
    return served.map((subscription) => handlersOf(subscription)[0]!);
  }
}

/** A broker without replay would silently deliver no past events. */
export function replayFaults(
  subscription: EventSubscription,
  { name, capabilities }: Pick<BrokerDriver, 'name' | 'capabilities'>,
): string[] {
  return subscription.from && capabilities.replay === 'none'
    ? [`${nameOf(subscription)}: begins in the past, which ${name} does not keep; leave "from" out`]
    : [];
}

export function nameOf({ event, subscriber }: EventSubscription): string {
  return `${event.kind} for ${subscriber}`;
}
