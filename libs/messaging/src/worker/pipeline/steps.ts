/**
 * One purpose. Takes what the step before it has made of the delivery, hands on what it makes of it, and sees
 * what comes back.
 */
export type Step<In, Return, Out, Returned> = (input: In, next: (output: Out) => Promise<Returned>) => Promise<Return>;

/** An ordered list of named steps; the compiler checks that each gets what the one before it hands on. */
export class Steps<In, Return, Current, Returned> {
  private constructor(
    private readonly compose: (last: (input: Current) => Promise<Returned>) => (input: In) => Promise<Return>,
    private readonly lines: readonly string[],
  ) {}

  static from<In, Return>(): Steps<In, Return, In, Return> {
    return new Steps((last) => last, []);
  }

  step<Out, NextReturned>(
    name: string,
    purpose: string,
    run: Step<Current, Returned, Out, NextReturned>,
  ): Steps<In, Return, Out, NextReturned> {
    return new Steps((last) => this.compose((input) => run(input, last)), [...this.lines, `${name}: ${purpose}`]);
  }

  /** @returns the whole list as one function, and `name: purpose` of each step in order */
  last(name: string, purpose: string, run: (input: Current) => Promise<Returned>) {
    return { run: this.compose(run), lines: [...this.lines, `${name}: ${purpose}`] };
  }
}
