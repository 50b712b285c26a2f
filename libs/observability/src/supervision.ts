/** What a supervisor reports to the API about its processes, outside production. */
export interface SupervisedProcess {
  readonly name: string;
  readonly state: 'running' | 'starting' | 'stopped';
  /** How often the process has died and was started again. */
  readonly restarts: number;
}

export const isReport = hasFields<{ readonly processes: readonly SupervisedProcess[] }>('processes');

export const processActions = ['kill', 'stop', 'start'] as const;

/** A request of the API to its supervisor. The supervisor answers with a report when it is done. */
export interface SupervisorOrder {
  readonly name: string;
  readonly action: (typeof processActions)[number];
}

export const isOrder = hasFields<SupervisorOrder>('name', 'action');

/** The last message of a process that cannot start with its settings; starting it again does not help. */
export interface Refusal {
  /** The reason, for the operator. */
  readonly refused: string;
}

export const isRefusal = hasFields<Refusal>('refused');

/** The supervisor's last message to a process: stop in order. */
export const stopOrder = 'stop';

/** What a stopping process waits for. */
export interface StopProgress {
  readonly waitsFor: string;
}

export const isStopProgress = hasFields<StopProgress>('waitsFor');

/** Processes of one build talk to each other, so the names of the fields tell a message from the others. */
function hasFields<Message>(...names: (keyof Message)[]) {
  return (message: unknown): message is Message =>
    typeof message === 'object' && message !== null && names.every((name) => name in message);
}
