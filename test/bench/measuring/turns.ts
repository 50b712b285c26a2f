/** What each contender's turns brought, in their order. */
export type Results<Name extends string, Result> = Record<Name, Result[]>;

/**
 * A, B, A, B …: whatever the machine does meanwhile, it does to both. Figures of one turn are compared with each
 * other only.
 */
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
