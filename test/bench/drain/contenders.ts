/** A program that drains a backlog. */
export interface Contender {
  /** The name in `<process>-process.ts`. */
  readonly process: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Whether the contender records the state of each job. Without a ledger it gets messages without jobs. */
  readonly keepsLedger: boolean;
  /** One of so many jobs comes from a request that is traced. Default: each of them. */
  readonly tracedOneOf?: number;
}

const byHand = { process: 'hand-written', keepsLedger: true };

export type ContenderName = 'raw client' | 'hand-written' | 'job by job' | 'ledger';

export const contenders: Readonly<Record<ContenderName, Contender>> = {
  'raw client': { process: 'raw-client', environment: {}, keepsLedger: false },
  'hand-written': { ...byHand, environment: { BENCH_GROUP: '500', BENCH_GROUPS_AT_ONCE: '2' } },
  /** With 10 connections, the default size of a `pg` pool. */
  'job by job': { ...byHand, environment: { BENCH_GROUP: '1', BENCH_GROUPS_AT_ONCE: '10' } },
  ledger: { process: 'ledger-worker', environment: {}, keepsLedger: true },
};
