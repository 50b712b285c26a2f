import type { BrokerName, JobDefinition } from '@app/contracts';

/** Which broker serves which kind of job, with the brokers that are configured here. */
export class BrokerRoutes {
  constructor(readonly configured: readonly BrokerName[]) {}

  /** A definition's broker is a preference; where it is not configured, the first one that is serves. */
  brokerOf(definition: JobDefinition): BrokerName {
    return this.configured.includes(definition.broker) ? definition.broker : this.configured[0]!;
  }

  /** One line for each definition that does not get the broker it names; for one warning at boot. */
  warnings(definitions: readonly JobDefinition[]): string[] {
    return definitions
      .filter((definition) => this.brokerOf(definition) !== definition.broker)
      .map(
        (definition) =>
          `${definition.kind}: ${definition.broker} is not configured, ${this.brokerOf(definition)} serves`,
      );
  }
}
