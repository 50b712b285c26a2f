import { Injectable } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import type { JobDefinition } from '@app/contracts';
import type { BrokerDriver } from '../../port/broker-driver';
import { handlerMark, type Handler } from './job-handler';

export interface RegisteredHandler {
  readonly definition: JobDefinition;
  readonly handler: Handler<JobDefinition>;
}

/** The worker's handlers or brokers do not fit its definitions. It does not start, because its jobs would never run. */
export class BootCheckError extends Error {
  readonly code = 'boot_check_failed';

  constructor(readonly faults: readonly string[]) {
    super(`This worker cannot start:\n${faults.map((fault) => `- ${fault}`).join('\n')}`);
    this.name = 'BootCheckError';
  }
}

@Injectable()
export class HandlerRegistry {
  constructor(private readonly discovery: DiscoveryService) {}

  /**
   * @param served the definitions whose jobs this process runs
   * @returns the handler of each kind
   * @throws BootCheckError for a kind without exactly one handler, for a handler of another kind, and for a policy that
   *   a broker cannot keep
   */
  resolve(served: readonly JobDefinition[], drivers: readonly BrokerDriver[]): Map<string, RegisteredHandler> {
    const found = this.discovery.getProviders({ metadataKey: handlerMark.KEY }).map((wrapper) => ({
      definition: this.discovery.getMetadataByDecorator(handlerMark, wrapper)!,
      handler: wrapper.instance as Handler<JobDefinition>,
    }));
    const faults = [
      ...served.flatMap(({ kind }) => countFault(kind, found)),
      ...served.flatMap((definition) => drivers.flatMap((driver) => policyFaults(definition, driver))),
      ...found
        .filter(({ definition }) => !served.includes(definition))
        .map(
          ({ definition, handler }) =>
            `${definition.kind}: ${nameOf(handler)} handles it, but this worker does not serve it`,
        ),
    ];
    if (faults.length > 0) throw new BootCheckError(faults);
    return new Map(found.map((registered) => [registered.definition.kind, registered]));
  }
}

function countFault(kind: string, found: readonly RegisteredHandler[]): string[] {
  const handlers = found.filter(({ definition }) => definition.kind === kind);
  if (handlers.length === 1) return [];
  const got = handlers.length === 0 ? 'none' : handlers.map(({ handler }) => nameOf(handler)).join(' and ');
  return [`${kind}: expected one class with @JobHandler among the providers, got ${got}`];
}

/** @returns the policies of a definition that a broker cannot keep */
export function policyFaults(
  { kind, rateLimit }: JobDefinition,
  { name, capabilities }: Pick<BrokerDriver, 'name' | 'capabilities'>,
): string[] {
  return rateLimit && capabilities.rateLimit === 'none'
    ? [`${kind}: has a rateLimit, which ${name} cannot keep; leave it out or name another broker`]
    : [];
}

function nameOf(handler: object): string {
  return handler.constructor.name;
}
