/** What a supervisor reports to the API about its processes, outside production. */
export interface SupervisedProcess {
  readonly name: string;
  readonly state: 'running' | 'starting' | 'stopped';
  /** How often the process has died and was started again. */
  readonly restarts: number;
}

export interface SupervisorReport {
  readonly processes: readonly SupervisedProcess[];
}

export const processActions = ['kill', 'stop', 'start'] as const;

/** A request of the API to its supervisor. The supervisor answers with a report when it is done. */
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

/** The last message of a process that cannot start with its settings; starting it again does not help. */
export interface Refusal {
  /** The reason, for the operator. */
  readonly refused: string;
}

export function isRefusal(message: unknown): message is Refusal {
  return typeof message === 'object' && message !== null && 'refused' in message;
}

/** The supervisor's last message to a process: stop in order. */
export const stopOrder = 'stop';

/** What a stopping process waits for. */
export interface StopProgress {
  readonly waitsFor: string;
}

export function isStopProgress(message: unknown): message is StopProgress {
  return typeof message === 'object' && message !== null && 'waitsFor' in message;
}
