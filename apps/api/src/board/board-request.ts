import { AsyncLocalStorage } from 'node:async_hooks';

/** Who looks at the board: its adapters see no request. */
export const boardRequest = new AsyncLocalStorage<{
  readonly mayChange: boolean;
  readonly isUser: boolean;
  readonly by: string;
}>();
