/** Whoever drains a backlog. */
export interface Contender {
  /** Of `<process>-process.ts`. */
  readonly process: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Whether it records what becomes of each job; whoever does not gets messages without jobs. */
  readonly keepsLedger: boolean;
}

const byHand = { process: 'hand-written', keepsLedger: true };

export type ContenderName = 'raw client' | 'hand-written' | 'job by job' | 'ledger';

export const contenders: Readonly<Record<ContenderName, Contender>> = {
  'raw client': { process: 'raw-client', environment: {}, keepsLedger: false },
  'hand-written': { ...byHand, environment: { BENCH_GROUP: '500', BENCH_GROUPS_AT_ONCE: '2' } },
  /** Over as many connections as a pool of `pg` has when nobody says otherwise. */
  'job by job': { ...byHand, environment: { BENCH_GROUP: '1', BENCH_GROUPS_AT_ONCE: '10' } },
  ledger: { process: 'ledger-worker', environment: {}, keepsLedger: true },
};
