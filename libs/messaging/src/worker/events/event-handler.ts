import { Injectable } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import type { DataOf, EventDefinition } from '@app/contracts';
import type { Transaction } from '@app/ledger';

/** An event as its handler sees it. */
export interface EventOf<E extends EventDefinition> {
  /** The same however often the event comes. */
  readonly id: string;
  readonly kind: string;
  readonly tenant: string | undefined;
  readonly key: string | undefined;
  /** When it became true, as its sender says. */
  readonly at: Date | undefined;
  /** Of the request that led to it, for what it leads to in turn. */
  readonly traceparent: string | undefined;
  readonly data: DataOf<E>;
}

/** What there is to tell once the transaction is committed. It may be lost with the process; it must not throw. */
export type AfterCommit = () => void;

/**
 * Handles what has come together in one transaction, in the order in which the broker had it; each event comes here
 * once. A throw rolls all of it back, and each is tried by itself.
 */
export interface HandlesEvents<E extends EventDefinition> {
  handle(events: readonly EventOf<E>[], tx: Transaction): Promise<void | AfterCommit>;
}

/** Who hears an event, under which name, and since when. */
export interface EventSubscription<E extends EventDefinition = EventDefinition> {
  readonly event: E;
  /** One of the definition's subscribers. */
  readonly subscriber: string;
  /**
   * Where a name that is new begins on a broker that can replay; from the first event that the broker still has
   * unless it says otherwise.
   */
  readonly from?: Date | undefined;
  /** How many share a transaction at most; 200 unless it says otherwise. */
  readonly together?: number | undefined;
}

/** Finds the decorated classes at boot. */
export const eventHandlerMark = DiscoveryService.createDecorator<EventSubscription>();

/** Marks the one class that handles the events of a subscription. It is a provider like any other. */
export function EventHandler<E extends EventDefinition>(subscription: EventSubscription<E>) {
  return (target: new (...dependencies: never[]) => HandlesEvents<E>): void => {
    Injectable()(target);
    eventHandlerMark(subscription)(target);
  };
}
