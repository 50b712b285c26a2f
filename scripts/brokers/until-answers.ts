import { setTimeout as delay } from 'node:timers/promises';

const startMs = 120_000;

/** @throws Error with the server's last output, when it ends or does not answer within 2 min */
export async function untilAnswers(
  name: string,
  ask: () => Promise<void>,
  server: { hasEnded(): boolean; output(): string },
): Promise<void> {
  const deadline = performance.now() + startMs;
  for (;;) {
    const cause = await ask().then(
      () => undefined,
      (error: unknown) => error as Error,
    );
    if (!cause) return;
    const heard = `${cause.message}\n${server.output()}`;
    if (server.hasEnded()) throw new Error(`${name} ended before it answered: ${heard}`, { cause });
    if (performance.now() > deadline)
      throw new Error(`${name} did not answer within ${startMs} ms: ${heard}`, { cause });
    await delay(50);
  }
}
