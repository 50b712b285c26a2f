import { setTimeout as delay } from 'node:timers/promises';

/**
 * Polls until a change that another process makes is visible.
 * @throws Error with the last value
 */
export async function until<Seen>(
  what: string,
  look: () => Promise<Seen>,
  isThere: (seen: Seen) => boolean,
  withinMs = 20_000,
): Promise<Seen> {
  const deadline = performance.now() + withinMs;
  let seen = await look();
  while (!isThere(seen)) {
    if (performance.now() > deadline) {
      throw new Error(`Not within ${withinMs} ms: ${what}. Last seen: ${JSON.stringify(seen).slice(0, 2_000)}`);
    }
    await delay(20);
    seen = await look();
  }
  return seen;
}
