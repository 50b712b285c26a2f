/** What a broker refused or did not answer. Every other error of the relay's rounds is the database's. */
export class BrokerFault extends Error {
  constructor(override readonly cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause));
    this.name = 'BrokerFault';
  }

  /** Runs what speaks to a broker. @throws BrokerFault */
  static async of<Result>(speaking: Promise<Result>): Promise<Result> {
    return speaking.catch((error: unknown) => {
      throw new BrokerFault(error);
    });
  }
}
