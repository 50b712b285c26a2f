const open = new Set<() => Promise<void>>();

/** Runs the work, then `end`, even when the work fails or the whole run is interrupted. */
export async function endingWith<Result>(end: () => unknown, work: () => Promise<Result>): Promise<Result> {
  let ended: Promise<void> | undefined;
  const endOnce = (): Promise<void> =>
    (ended ??= Promise.resolve()
      .then(end)
      .then(() => undefined));
  open.add(endOnce);
  try {
    const result = await work();
    await endOnce();
    return result;
  } catch (error) {
    await endOnce().catch(() => undefined); // The first error is the one to report.
    throw error;
  } finally {
    open.delete(endOnce);
  }
}

/** Ends everything that is open, the last opened first. A failure does not stop the others from ending. */
export async function endEverything(): Promise<void> {
  for (const end of [...open].reverse()) await end().catch(() => undefined);
}
