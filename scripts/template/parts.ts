import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { TemplateRefused } from './template-refused';

/**
 * What a part.json says. A part is what `npm run template` can leave out of a project: a use case, a broker, the web
 * client, a library or the course. Everything that no part names is the core, which every project has.
 */
const partFile = z.strictObject({
  $comment: z.string().optional(),
  name: z.string(),
  is: z.enum(['job', 'broker', 'web client', 'library', 'course']),
  /** Other parts, without which this one cannot be. A library is kept when a part that is kept needs it. */
  needs: z.array(z.string()),
  /** Beside the folder of part.json. What several parts list is kept if all of them are. */
  files: z.array(z.string()),
  dependencies: z.array(z.string()),
  variables: z.array(z.string()),
  services: z.array(z.string()),
  /** Texts by which other code and pages name the part: kinds of jobs and events, queues, routes, tables. */
  words: z.array(z.string()).default([]),
  /** Headings of pages. */
  sections: z.array(z.string()).default([]),
  /** That the tests start, and that `.ci/run` installs. */
  programs: z.array(z.string()).default([]),
});

export interface Part extends z.output<typeof partFile> {
  readonly folder: string;
}

/** @param paths all files of the project, beside its folder */
export function readParts(projectFolder: string, paths: readonly string[]): Part[] {
  return paths
    .filter((path) => path.endsWith('/part.json'))
    .map((path) => ({
      ...partFile.parse(JSON.parse(readFileSync(join(projectFolder, path), 'utf8'))),
      folder: dirname(path),
    }));
}

export interface Wish {
  readonly jobs: readonly string[];
  readonly brokers: readonly string[];
  readonly web: boolean;
}

/**
 * @returns the parts that a project of these jobs and brokers does not have
 * @throws TemplateRefused for a part that does not exist, and for parts that do not go together
 */
export function partsLeftOut(parts: readonly Part[], { jobs, brokers, web }: Wish): Part[] {
  const named = (is: Part['is'], names: readonly string[]) =>
    names.map((name) => {
      const part = parts.find((one) => one.is === is && one.name === name);
      if (part) return part;
      const known = parts.filter((one) => one.is === is).map((one) => one.name);
      throw new TemplateRefused(`--${is}s: expected some of ${known.join(', ')}, got "${name}".`);
    });
  if (jobs.length === 0) throw new TemplateRefused('--jobs: expected at least one job, such as --jobs email.');
  const wanted = [...named('job', jobs), ...named('broker', brokers)];
  if (!brokers.includes('bullmq')) {
    throw new TemplateRefused(
      `--brokers: bullmq stays, because it needs no server beside PostgreSQL; write bullmq,${brokers.join()}.`,
    );
  }
  const chosen = [...wanted, ...parts.filter((part) => web && part.is === 'web client')];
  const kept = new Set(chosen);
  for (const part of kept) {
    for (const name of part.needs) {
      const needed = parts.find((one) => one.name === name)!;
      if (needed.is !== 'library' && !kept.has(needed)) throw new TemplateRefused(missing(part, kept));
      kept.add(needed);
    }
  }
  const leftOut = parts.filter((part) => !kept.has(part));
  // The course explains and proves the whole. It stays when nothing else is left out.
  return leftOut.every(({ is }) => is === 'course') ? [] : leftOut;
}

function missing(part: Part, kept: ReadonlySet<Part>): string {
  const names = part.needs.filter((name) => ![...kept].some((one) => one.name === name));
  const otherwise = part.is === 'web client' ? ', or say --no-web' : '';
  return `The part ${part.name} needs ${names.join(', ')} as well: add ${names.length > 1 ? 'them' : 'it'}${otherwise}.`;
}
