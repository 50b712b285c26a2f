import { z } from 'zod';
import { defineEvent, fixed, type EventDefinition } from '@app/contracts';
import type { EventSubscription, HandlesEvents, RegisteredEventHandler } from '@app/messaging';
import { uniqueName } from './core';

const data = z.strictObject({ n: z.int(), key: z.string() });

type PlainEvent = EventDefinition<typeof data>;

/** Defines a new kind of event with a number and a key. */
export function plainEvent(subscribers: readonly string[]): PlainEvent {
  return defineEvent({
    kind: `${uniqueName()}.happened`,
    version: 1,
    broker: 'memory',
    data,
    key: ({ key }) => key,
    subscribers,
    retry: fixed({ attempts: 3, delay: '20ms' }),
  });
}

export function hearing<E extends EventDefinition>(
  event: E,
  subscriber: string,
  handle: HandlesEvents<E>['handle'],
  from?: Date,
): RegisteredEventHandler {
  const subscription: EventSubscription = { event, subscriber, from };
  return { subscription, handler: { handle } };
}
