/**
 * A transaction as the core uses it. Prisma's client has these methods; the core does not import a client, because a
 * client knows the tables of every use case.
 */
export interface Transaction {
  /** @returns the number of affected rows */
  $executeRaw(query: TemplateStringsArray, ...values: unknown[]): Promise<number>;
  $queryRaw<Rows = unknown>(query: TemplateStringsArray, ...values: unknown[]): Promise<Rows>;
  $queryRawUnsafe<Rows = unknown>(query: string, ...values: unknown[]): Promise<Rows>;
}

/** Begins transactions. A class, so that Nest injects it by its name. */
export abstract class Transactions {
  /**
   * Commits when `work` resolves and rolls back when it rejects.
   * @param options.timeout milliseconds from the first statement to the commit
   * @param options.maxWait milliseconds to wait for a connection
   */
  abstract $transaction<Result>(
    work: (tx: Transaction) => Promise<Result>,
    options?: { readonly timeout?: number; readonly maxWait?: number },
  ): Promise<Result>;

  abstract $queryRaw<Rows = unknown>(query: TemplateStringsArray, ...values: unknown[]): Promise<Rows>;
}
