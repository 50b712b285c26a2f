/** `noun.verb` of a job, or `noun.participle` of an event. */
export const kindPattern = /^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)+$/;

/** A message holds the version in at most four digits. */
export const latestVersion = 9_999;

export const defaultPartitions = 4;

/** @returns whether it is a whole number from 1 to `most` */
export function isWhole(value: number, most = Infinity): boolean {
  return Number.isInteger(value) && value >= 1 && value <= most;
}

/**
 * @param checks for each field: true, or what was expected and what came
 * @throws RangeError that names each invalid field
 */
export function assertValid(definition: string, checks: readonly (true | string)[]): void {
  const faults = checks.filter((check) => check !== true);
  if (faults.length > 0) throw new RangeError(`${definition} is invalid:\n- ${faults.join('\n- ')}`);
}
