/** The error of a broker. Every other error in the relay comes from the database. */
export class BrokerFault extends Error {
  constructor(override readonly cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause));
    this.name = 'BrokerFault';
  }

  /** Waits for a call to a broker. @throws BrokerFault with the error as its cause */
  static async of<Result>(speaking: Promise<Result>): Promise<Result> {
    return speaking.catch((error: unknown) => {
      throw new BrokerFault(error);
    });
  }
}
