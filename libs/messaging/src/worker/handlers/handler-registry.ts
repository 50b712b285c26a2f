import { Injectable } from '@nestjs/common';
import { DiscoveryService, type DiscoverableDecorator } from '@nestjs/core';
import type { JobDefinition } from '@app/contracts';
import type { BrokerConsumer } from '../../port/consumer';
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
  resolve(served: readonly JobDefinition[], drivers: readonly BrokerConsumer[]): Map<string, RegisteredHandler> {
    const faults = served.flatMap((definition) => drivers.flatMap((driver) => policyFaults(definition, driver)));
    const decorator = { name: '@JobHandler', mark: handlerMark, handles: ({ kind }: JobDefinition) => kind };
    const handlers = findHandlers<JobDefinition, Handler<JobDefinition>>(this.discovery, decorator, served, faults);
    return new Map(served.map((definition) => [definition.kind, { definition, handler: handlers.get(definition)! }]));
  }
}

/**
 * Finds the one provider whose class has a decorator, for each thing that this process serves.
 * @param decorator its mark, and how to name what a class with it handles
 * @param otherFaults reported together with those found here
 * @throws BootCheckError for a thing without exactly one handler, for a handler of another thing, and for other faults
 */
export function findHandlers<Served, Found extends object>(
  discovery: DiscoveryService,
  decorator: { name: string; mark: DiscoverableDecorator<Served>; handles: (served: Served) => string },
  served: readonly Served[],
  otherFaults: readonly string[],
): ReadonlyMap<Served, Found> {
  const { name, mark, handles } = decorator;
  const found = discovery.getProviders({ metadataKey: mark.KEY }).map((wrapper) => ({
    of: discovery.getMetadataByDecorator(mark, wrapper) as Served,
    handler: wrapper.instance as Found,
  }));
  const faults: string[] = [];
  for (const one of served) {
    const classes = found.filter(({ of }) => of === one).map(({ handler }) => handler.constructor.name);
    if (classes.length === 1) continue;
    const got = classes.join(' and ') || 'none';
    faults.push(`${handles(one)}: expected one class with ${name} among the providers, got ${got}`);
  }
  for (const { of, handler } of found.filter((one) => !served.includes(one.of))) {
    faults.push(`${handles(of)}: ${handler.constructor.name} handles it, but this worker does not serve it`);
  }
  faults.push(...otherFaults);
  if (faults.length > 0) throw new BootCheckError(faults);
  return new Map(found.map(({ of, handler }) => [of, handler]));
}

/**
 * Checks whether a broker can keep the policies of a definition. Only a rate limit can fail.
 * @returns the faults, for `BootCheckError`; none when the broker can keep all policies
 */
export function policyFaults(
  { kind, rateLimit }: JobDefinition,
  { name, capabilities }: Pick<BrokerConsumer, 'name' | 'capabilities'>,
): string[] {
  return rateLimit && capabilities.rateLimit === 'none'
    ? [`${kind}: has a rateLimit, which ${name} cannot keep; leave it out or name another broker`]
    : [];
}
