import { within } from '@app/messaging';

/** A broker that has not said what it holds by then counts as down. */
const answerMs = 1_500;

/** @throws Error when the answer comes too late */
export function withinTime<Result>(answer: Promise<Result>): Promise<Result> {
  return within(answerMs, answer, `It did not answer within ${answerMs} ms.`);
}
