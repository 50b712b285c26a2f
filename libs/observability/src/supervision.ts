/** What a supervisor tells the API of the processes that it runs, outside production. */
export interface SupervisedProcess {
  readonly name: string;
  readonly state: 'running' | 'starting' | 'stopped';
  /** How often it has died and was started again. */
  readonly restarts: number;
}

export interface SupervisorReport {
  readonly processes: readonly SupervisedProcess[];
}

export const processActions = ['kill', 'stop', 'start'] as const;

/** What the API asks its supervisor for. The answer is a report, when it is done. */
export interface SupervisorOrder {
  readonly name: string;
  readonly action: (typeof processActions)[number];
}

export function isReport(message: unknown): message is SupervisorReport {
  return typeof message === 'object' && message !== null && 'processes' in message;
}

export function isOrder(message: unknown): message is SupervisorOrder {
  return typeof message === 'object' && message !== null && 'name' in message && 'action' in message;
}

/** What a process says last that does not start because of what it was started with: to start it again is no use. */
export interface Refusal {
  /** For the person who starts it. */
  readonly refused: string;
}

export function isRefusal(message: unknown): message is Refusal {
  return typeof message === 'object' && message !== null && 'refused' in message;
}

/** The supervisor's last message to a process: end in order. */
export const stopOrder = 'stop';

/** What a process that ends in order waits for. */
export interface StopProgress {
  readonly waitsFor: string;
}

export function isStopProgress(message: unknown): message is StopProgress {
  return typeof message === 'object' && message !== null && 'waitsFor' in message;
}
