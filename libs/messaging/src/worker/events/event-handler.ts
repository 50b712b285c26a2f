import { Injectable } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import type { DataOf, EventDefinition } from '@app/contracts';
import type { Transaction } from '@app/ledger';
import type { EventSubscription } from '../../port/consumer';

/** An event as its handler sees it. */
export interface EventOf<E extends EventDefinition> {
  /** The same for every delivery of the event. */
  readonly id: string;
  readonly kind: string;
  readonly tenant: string | undefined;
  readonly key: string | undefined;
  /** When the fact became true, as its sender says. */
  readonly at: Date | undefined;
  /** The trace of the request that led to the event, for the requests and jobs that follow from it. */
  readonly traceparent: string | undefined;
  readonly data: DataOf<E>;
}

/** Runs after the commit, for notifications. It is lost when the process dies; it must not throw. */
export type AfterCommit = () => void;

/**
 * Handles the events of one group in one transaction, in the order of the broker. Each event is passed once. An
 * exception rolls everything back, and then each event is handled by itself.
 */
export interface HandlesEvents<E extends EventDefinition> {
  handle(events: readonly EventOf<E>[], tx: Transaction): Promise<void | AfterCommit>;
}

/** The registry finds the decorated classes at boot by this mark. */
export const eventHandlerMark = DiscoveryService.createDecorator<EventSubscription>();

/** Marks the one class that handles the events of a subscription. The class is a provider like any other. */
export function EventHandler<E extends EventDefinition>(subscription: EventSubscription<E>) {
  return (target: new (...dependencies: never[]) => HandlesEvents<E>): void => {
    Injectable()(target);
    eventHandlerMark(subscription)(target);
  };
}
