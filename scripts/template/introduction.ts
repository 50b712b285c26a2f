import type { Part } from './parts';

/** @returns README.md with an introduction of the parts that a cut-down project has */
export function introduced(readme: string, name: string, kept: readonly Part[]): string {
  const namesOf = (is: Part['is']) =>
    kept
      .filter((part) => part.is === is)
      .map((part) => part.name)
      .join(', ');
  const introduction = `# ${name}

A REST API that answers a request for a job with 202 at once, and workers that run the job.

- Jobs: ${namesOf('job')}
- Brokers: ${namesOf('broker')}

`;
  return introduction + readme.slice(readme.search(/^## /m));
}
