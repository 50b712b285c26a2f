/** The result of a run with one kill. */
export interface Seen {
  /** The jobs that were accepted. */
  readonly jobs: number;
  /** The accepted jobs that have no effect and will never have one. */
  readonly lost: number;
  readonly copies: number;
  /** Distinct keys: the number of effects for a recipient that honours idempotency keys. */
  readonly keys: number;
  /** The time from the kill, or from the restart of the only process of its kind, until all jobs were completed. */
  readonly recoveryMs?: number;
}

/**
 * Where an effect happens: at a recipient that may honour its key, or in a table, where a second row is a second
 * effect.
 */
export type Effect = 'outside' | 'own database';

export function twice({ jobs, lost, copies, keys }: Seen, effect: Effect): number {
  return (effect === 'outside' ? keys : copies) - (jobs - lost);
}

export function harmOf(seen: Seen, effect: Effect): string {
  const harms = [seen.lost > 0 && 'lost', twice(seen, effect) > 0 && 'twice'].filter(Boolean);
  return harms.join(' and ') || 'none';
}
