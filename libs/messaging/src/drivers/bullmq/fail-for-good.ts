/**
 * BullMQ keeps the failure of its first connection and returns it to every later call. Only a new process helps: this
 * one ends with an uncaught error, and its supervisor starts it again.
 */
export function failForGood(error: unknown, isStopping: () => boolean): void {
  process.nextTick(() => {
    if (isStopping()) return;
    throw new Error('BullMQ could not be set up; this process has to start again.', { cause: error });
  });
}
