export interface Sms {
  /** Whose job sends it. The built-in mailbox keeps it; a provider does not hear of it. */
  readonly tenant: string;
  readonly to: string;
  readonly text: string;
}

/** Whoever carries an SMS. Another provider is another class with this method. */
export abstract class SmsProvider {
  /**
   * @param key the same at every attempt of a job; a provider that honours it sends once
   * @returns the provider's name for the message
   * @throws SmsRefused when it will never be sent; SmsPostponed when the provider says when to ask again
   */
  abstract send(sms: Sms, key: string, signal: AbortSignal): Promise<string>;
}

export class SmsRefused extends Error {}

export class SmsPostponed extends Error {
  constructor(readonly afterSeconds: number) {
    super(`The SMS provider asks to wait ${afterSeconds} s.`);
  }
}
