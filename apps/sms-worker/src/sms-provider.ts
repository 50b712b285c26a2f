export interface Sms {
  /** The tenant of the job. The built-in mailbox stores it; a provider does not get it. */
  readonly tenant: string;
  readonly to: string;
  readonly text: string;
}

/** Sends an SMS. Another provider is another class with this method. */
export abstract class SmsProvider {
  /**
   * @param key the same for every attempt of a job; a provider that supports it sends one SMS
   * @returns the provider's id of the message
   * @throws SmsRefused when the SMS will never be sent; SmsPostponed when the provider says when to retry
   */
  abstract send(sms: Sms, key: string, signal: AbortSignal): Promise<string>;
}

export class SmsRefused extends Error {}

export class SmsPostponed extends Error {
  constructor(readonly afterSeconds: number) {
    super(`The SMS provider asks to wait ${afterSeconds} s.`);
  }
}
