/** A label of a sequence drawing: the words of a message between two participants, or of a note. */
const label =
  /^(\s*(?:[\w-]+\s*(?:-->>|->>|--x|-x)[+-]?\s*[\w-]+|Note (?:over|left of|right of) [\w, -]+):\s*)(\S.*)$/gm;

/** One column is the width of a Latin letter. */
const columns = 15;

/** Where a line may break: behind a space, a comma and the like, and beside a Chinese character. */
const piece = /[\p{Script=Han}][，。；：、）”]*|[^\s\p{Script=Han}]*?(?:[\s,/（]|(?=\p{Script=Han})|$)/gu;

/** Breaks the labels of a sequence drawing into lines. Mermaid itself breaks Chinese and long names with a hyphen. */
export function wrapLabels(drawing: string): string {
  if (!drawing.startsWith('sequenceDiagram')) return drawing;
  return drawing.replace(label, (_all, before: string, words: string) => before + wrap(words));
}

function wrap(words: string): string {
  const lines = [''];
  for (const [next] of words.matchAll(piece)) {
    const last = lines.length - 1;
    if (lines[last] !== '' && widthOf(lines[last] + next.trimEnd()) > columns) lines.push(next);
    else lines[last] += next;
  }
  return lines.map((line) => line.trim()).join('<br/>');
}

function widthOf(text: string): number {
  return Array.from(text).reduce((sum, character) => sum + (/[\u2e80-\uffef]/u.test(character) ? 2 : 1), 0);
}
