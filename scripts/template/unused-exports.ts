import type { Sources } from './prune-code';
import { isCode } from './syntax';

/**
 * Which exported names no other file mentions any more, though one did. What `npm run new:job` writes will mention some.
 */
export class UnusedExports {
  private readonly now: ReadonlyMap<string, number>;
  private readonly before: ReadonlyMap<string, number>;

  constructor(
    private readonly sources: Sources,
    original: ReadonlyMap<string, string>,
  ) {
    this.now = filesByWord(sources);
    this.before = filesByWord(original);
  }

  namesOf(path: string): ReadonlySet<string> {
    const words = wordsOf(this.sources.get(path)!);
    return new Set([...words].filter((word) => this.now.get(word) === 1 && this.before.get(word)! > 1));
  }
}

const wordsOf = (text: string): ReadonlySet<string> => new Set(text.match(/[A-Za-z_$][\w$]*/g));

function filesByWord(sources: ReadonlyMap<string, string>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const [path, text] of sources) {
    if (!isCode(path) && !/\.(tsx|ts\.template)$/.test(path)) continue;
    for (const word of wordsOf(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return counts;
}
