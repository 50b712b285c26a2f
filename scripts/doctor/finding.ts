/** The result of one check. */
export interface Finding {
  /** What should be true, such as `no migration is missing`. */
  readonly check: string;
  /** What was seen. */
  readonly saw: string;
  /** Only when the check failed. */
  readonly failed?: { readonly why: string; readonly proceed: string };
}

/** A system that is looked at: its checks in their order. Ends early when the system cannot be reached. */
export interface Examined {
  readonly name: string;
  readonly findings: AsyncIterable<Finding>;
}

/** @param fault undefined when what was seen is right */
export function finding(check: string, saw: string, fault?: { why: string; proceed: string } | false): Finding {
  return fault ? { check, saw, failed: fault } : { check, saw };
}

export function unreachable(setting: string, error: unknown): Finding {
  const { message, code } = error as Error & { code?: string };
  return finding('it can be reached', message || String(code), {
    why: 'nothing else can be checked, and no process of this system can use it',
    proceed: `compare ${setting} with the address, the credentials and the firewall of the server`,
  });
}

/** A check that could not be made. */
export function unanswered(check: string, error: unknown): Finding {
  return finding(check, (error as Error).message, {
    why: 'the check could not be made, so it is not known',
    proceed: 'read the message: often the role may not read this; run the doctor as the owner of the tables',
  });
}

/** Text such as `12 min`, for a number of seconds. */
export function ago(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  return seconds < 7_200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`;
}
