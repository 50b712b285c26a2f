import { performance } from 'node:perf_hooks';
import { anEmail } from '../../support/system';
import { endingWith } from '../measuring/ending';
import { HttpConnection } from './http-connection';

export interface LoadResult {
  /** The number of answers with 202. There are no other answers. */
  readonly accepted: number;
  readonly perSecond: number;
  readonly latenciesMs: readonly number[];
  /** The part of the time in which the load generator was busy. Near 1, the generator measures itself. */
  readonly generatorBusy: number;
}

let emails = 0;

/**
 * Runs callers that send the next email when the last one is answered.
 * @throws Error for an answer other than 202
 */
export async function closedLoop(url: string, connections: number, seconds: number): Promise<LoadResult> {
  const callers = await Promise.all(Array.from({ length: connections }, () => HttpConnection.open(url)));
  const latenciesMs: number[] = [];
  return endingWith(
    () => {
      for (const caller of callers) caller.close();
    },
    async () => {
      const idleBefore = performance.eventLoopUtilization();
      const startedAt = performance.now();
      await Promise.all(callers.map((caller) => callUntil(caller, startedAt + seconds * 1_000)));
      const tookMs = performance.now() - startedAt;
      return {
        accepted: latenciesMs.length,
        perSecond: (latenciesMs.length / tookMs) * 1_000,
        latenciesMs,
        generatorBusy: performance.eventLoopUtilization(idleBefore).utilization,
      };
    },
  );

  async function callUntil(caller: HttpConnection, deadline: number): Promise<void> {
    let now = performance.now();
    while (now < deadline) {
      const status = await caller.post('/v1/emails', JSON.stringify(anEmail((emails += 1))));
      if (status !== 202) throw new Error(`Expected 202 from ${url}, got ${status}.`);
      const answeredAt = performance.now();
      latenciesMs.push(answeredAt - now);
      now = answeredAt;
    }
  }
}
