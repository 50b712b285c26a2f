import { withTimeout } from '@app/messaging';

/** A broker that has not said what it holds by then counts as down. */
const answerMs = 1_500;

/** @throws Error when the answer comes too late */
export function withBrokerTimeout<Result>(answer: Promise<Result>): Promise<Result> {
  return withTimeout(answerMs, answer, `It did not answer within ${answerMs} ms.`);
}
