/** What a run with one kill in it has come to. */
export interface Seen {
  /** Promised to callers. */
  readonly jobs: number;
  /** Of them, those that had no effect and will never have one. */
  readonly lost: number;
  readonly copies: number;
  /** Distinct: a recipient who honours keys sees this many effects. */
  readonly keys: number;
  /** From the kill, or from when the only process of its kind was back, until all jobs were completed. */
  readonly recoveryMs?: number;
}

/** Where an effect goes: to somebody who may honour its key, or into a table, where a second row is a second effect. */
export type Effect = 'outside' | 'own database';

export function twice({ jobs, lost, copies, keys }: Seen, effect: Effect): number {
  return (effect === 'outside' ? keys : copies) - (jobs - lost);
}

export function harmOf(seen: Seen, effect: Effect): string {
  const harms = [seen.lost > 0 && 'lost', twice(seen, effect) > 0 && 'twice'].filter(Boolean);
  return harms.join(' and ') || 'none';
}
