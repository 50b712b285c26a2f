import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readHeader } from '../examples/example';
import { excerptOf } from './excerpt';

const marked = /<!-- embed: (\S+)(?: > (.+?))? -->\n\n```(\w*)\n[^]*?```\n\n<!-- \/embed -->/g;

const listed = /<!-- examples: (.+?) -->\n\n[^]*?<!-- \/examples -->/g;

/**
 * Fills each list of examples between `<!-- examples: bullmq/worker kafka/order -->` and `<!-- /examples -->` of
 * examples/README.md from the first lines of their headers.
 */
export function listExamples(page: string, projectFolder: string): string {
  return page.replace(listed, (_, names: string) => {
    const items = names.split(' ').map((name) => {
      const { summary } = readHeader(
        `examples/${name}.ts`,
        readFileSync(join(projectFolder, `examples/${name}.ts`), 'utf8'),
      );
      return `- [${name}](${name}.ts): ${summary}`;
    });
    return `<!-- examples: ${names} -->\n\n${items.join('\n')}\n\n<!-- /examples -->`;
  });
}

/**
 * Fills each code block of a page that stands between `<!-- embed: PATH > SELECTOR -->` and `<!-- /embed -->` from the
 * file of that path.
 * @throws Error that names a path or a selector with no text behind it
 */
export function embedInto(page: string, projectFolder: string): string {
  return page.replace(marked, (_, path: string, selector: string | undefined, language: string) => {
    const excerpt = excerptOf(path, readFileSync(join(projectFolder, path), 'utf8'), selector);
    const place = selector === undefined ? path : `${path} > ${selector}`;
    return `<!-- embed: ${place} -->\n\n\`\`\`${language}\n${excerpt}\n\`\`\`\n\n<!-- /embed -->`;
  });
}

/** A page without the blocks that `embedInto` fills. */
export function withoutEmbedded(page: string): string {
  return page.replace(marked, '');
}
