import { AsyncLocalStorage } from 'node:async_hooks';

/** The rights of the board's current viewer. The adapters need them and do not get the request. */
export const boardRequest = new AsyncLocalStorage<{
  readonly mayChange: boolean;
  readonly isUser: boolean;
  readonly by: string;
}>();
