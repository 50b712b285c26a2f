import ms, { type StringValue } from 'ms';

/** A length of time as people write it: `'250ms'`, `'1s'`, `'5m'`, `'2h'`. */
export type Duration = StringValue;

/** @throws RangeError when the text is no positive duration. */
export function toMs(duration: Duration): number {
  const value = ms(duration);
  if (!Number.isFinite(value) || value <= 0) {
    throw new RangeError(`Expected a positive duration such as "1s" or "5m", got "${duration}".`);
  }
  return value;
}
