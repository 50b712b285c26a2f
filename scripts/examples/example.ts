import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { capabilityNames } from '@app/messaging';
import { serverNames, servers, type Server } from './servers';

/** The header comment of an example. */
export interface Example {
  /** From the project's folder: `examples/rabbitmq/topic.ts`. */
  readonly file: string;
  readonly summary: string;
  /** All servers that it uses; at least one. */
  readonly needs: readonly Server[];
  /** The capabilities that it shows the broker to have itself. */
  readonly shows: readonly string[];
  /** The capabilities that the broker lacks and that the example implements. */
  readonly byHand: readonly string[];
  /** The lines that it prints, in this order; `…` matches any text. */
  readonly expect: readonly string[];
}

/** What an example can show: the capabilities of a driver, and those that only matter for events. */
const capabilities: ReadonlySet<string> = new Set([...capabilityNames, 'broadcast', 'replay']);

/**
 * Reads the header of each example from its source, not from the build.
 * @param projectFolder the folder that contains `examples/`
 * @returns the examples in the order of their file names
 * @throws Error that says what a header lacks
 */
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
  const ofFolder = serverNames.find((server) => servers[server].folder === folder);
  const needs = (valueOf('Needs')?.split(', ') ?? [ofFolder]).map((name) => {
    const server = serverNames.find((one) => one === name);
    if (server !== undefined) return server;
    const lacks = `${file}: lacks a line "Needs:" with one or more of ${serverNames.join(', ')}`;
    throw new Error(name === undefined ? `${lacks}.` : `${lacks}; got "${name}".`);
  });

  const from = lines.indexOf('Expect:') + 1;
  const to = lines.indexOf('', from);
  const expect = from === 0 ? [] : lines.slice(from, to === -1 ? undefined : to).map((line) => line.trim());
  if (expect.length === 0) throw new Error(`${file}: lacks a block "Expect:" with the lines that it prints.`);

  const shows = capabilitiesOf('Shows');
  if (shows.length > 0 && needs.length > 1) {
    throw new Error(`${file}: "Shows:" names what one broker has by itself, and "Needs:" names ${needs.join(', ')}.`);
  }

  return {
    file,
    summary: lines[0] ?? '',
    needs,
    shows,
    byHand: capabilitiesOf('By hand'),
    expect,
  };
}

/** @returns the first expected line that does not follow the ones before it; undefined when all are found */
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
