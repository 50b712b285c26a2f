/** Waits for one message. */
export interface Listener<Message> {
  readonly first: Promise<Message>;
  readonly close: () => Promise<void>;
}
