/** The results of each contender, in the order of its turns. */
export type Results<Name extends string, Result> = Record<Name, Result[]>;

/** Runs A, B, A, B …, so that other load on the machine affects both. Only results of the same turn are compared. */
export async function inTurns<Name extends string, Result>(
  repeats: number,
  contenders: Record<Name, () => Promise<Result>>,
): Promise<Results<Name, Result>> {
  const names = Object.keys(contenders) as Name[];
  const results = Object.fromEntries(names.map((name) => [name, []])) as unknown as Results<Name, Result>;
  for (let turn = 1; turn <= repeats; turn += 1) {
    for (const name of names) {
      process.stderr.write(`  turn ${turn} of ${repeats}: ${name}\n`);
      results[name].push(await contenders[name]());
    }
  }
  return results;
}
