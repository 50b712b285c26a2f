import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { capabilityNames } from '@app/messaging';
import { serverNames, servers, type Server } from './servers';

/** An example, as its header comment says it. */
export interface Example {
  /** From the project's folder: `examples/rabbitmq/topic.ts`. */
  readonly file: string;
  readonly summary: string;
  readonly needs: Server;
  /** The capabilities that it proves the broker has by itself. */
  readonly shows: readonly string[];
  /** Those that the broker lacks, and how they are usually made up for. */
  readonly byHand: readonly string[];
  /** What it prints, line by line, in this order; `…` stands for anything. */
  readonly expect: readonly string[];
}

/** What can be shown: what a driver may have, and what only matters for events. */
const capabilities: ReadonlySet<string> = new Set([...capabilityNames, 'broadcast', 'replay']);

/** @param projectFolder where `examples/` is; the headers are read from the sources, not from what is built */
export function findExamples(projectFolder: string): Example[] {
  return readdirSync(join(projectFolder, 'examples'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `examples/${name.replaceAll('\\', '/')}`)
    .sort()
    .map((file) => readHeader(file, readFileSync(join(projectFolder, file), 'utf8')));
}

/** @throws Error that says what the header lacks */
export function readHeader(file: string, source: string): Example {
  const comment = /^\/\*\*\n(.*?)\n \*\/\n/s.exec(source)?.[1];
  if (comment === undefined) throw new Error(`${file}: does not begin with a comment that says what it shows.`);
  const lines = comment.split('\n').map((line) => line.replace(/^ \* ?/, ''));
  const valueOf = (label: string): string | undefined =>
    lines.find((line) => line.startsWith(`${label}: `))?.slice(label.length + 2);
  const capabilitiesOf = (label: string): string[] => {
    const names = valueOf(label)?.split(', ') ?? [];
    const unknown = names.find((name) => !capabilities.has(name));
    if (unknown === undefined) return names;
    throw new Error(`${file}: "${label}: ${unknown}", expected one of ${[...capabilities].join(', ')}.`);
  };

  const folder = file.split('/')[1];
  const needs = serverNames.find((server) => server === valueOf('Needs') || servers[server].broker === folder);
  if (needs === undefined) throw new Error(`${file}: lacks a line "Needs: ${serverNames.join(' | ')}".`);

  const from = lines.indexOf('Expect:') + 1;
  const to = lines.indexOf('', from);
  const expect = from === 0 ? [] : lines.slice(from, to === -1 ? undefined : to).map((line) => line.trim());
  if (expect.length === 0) throw new Error(`${file}: lacks a block "Expect:" with the lines that it prints.`);

  return {
    file,
    summary: lines[0] ?? '',
    needs,
    shows: capabilitiesOf('Shows'),
    byHand: capabilitiesOf('By hand'),
    expect,
  };
}

/** @returns the first expected line that is not there, after those before it */
export function missingLine(expect: readonly string[], output: string): string | undefined {
  const printed = output.split('\n');
  let from = 0;
  for (const line of expect) {
    const pattern = new RegExp(line.split('…').map(escape).join('.*'));
    const at = printed.findIndex((one, index) => index >= from && pattern.test(one));
    if (at === -1) return line;
    from = at + 1;
  }
  return undefined;
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
