/**
 * BullMQ keeps the failure of its first contact and gives it to every later call. Only a new process helps: this
 * one ends, loudly, and whoever runs it starts it again.
 */
export function failForGood(error: unknown, isStopping: () => boolean): void {
  process.nextTick(() => {
    if (isStopping()) return;
    throw new Error('BullMQ could not be set up; this process has to start again.', { cause: error });
  });
}
