/**
 * One step of a pipeline. Gets the output of the step before it, passes its own output to the next one, and handles
 * what the next one returns.
 */
export type Step<In, Return, Out, Returned> = (input: In, next: (output: Out) => Promise<Returned>) => Promise<Return>;

/** An ordered list of named steps. The compiler checks that each step accepts the output of the step before it. */
export class Steps<In, Return, Current, Returned> {
  private constructor(
    private readonly compose: (last: (input: Current) => Promise<Returned>) => (input: In) => Promise<Return>,
    private readonly lines: readonly string[],
  ) {}

  static from<In, Return>(): Steps<In, Return, In, Return> {
    return new Steps((last) => last, []);
  }

  /**
   * Adds a step at the end of the list.
   * @param purpose one line for the printed pipeline
   */
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
