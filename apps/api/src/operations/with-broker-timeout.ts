import { withTimeout } from '@app/messaging';

/** The time in ms after which a broker without an answer counts as down. */
const answerMs = 1_500;

/** Waits for the answer of a broker. @throws Error after 1.5 s without an answer */
export function withBrokerTimeout<Result>(answer: Promise<Result>): Promise<Result> {
  return withTimeout(answerMs, answer, `It did not answer within ${answerMs} ms.`);
}
