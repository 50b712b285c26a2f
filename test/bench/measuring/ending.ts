const open = new Set<() => Promise<void>>();

/** Runs the work, then `end`: also when the work fails, or when the whole run is interrupted. */
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
    await endOnce().catch(() => undefined); // What failed first is what there is to tell.
    throw error;
  } finally {
    open.delete(endOnce);
  }
}

/** Ends everything that is open, what was opened last first. Nothing that fails keeps the rest from ending. */
export async function endEverything(): Promise<void> {
  for (const end of [...open].reverse()) await end().catch(() => undefined);
}
