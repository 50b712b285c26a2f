/** A page without its fenced blocks. */
export function withoutCode(page: string): string {
  return page.replace(/^```.*?^```$/gms, '');
}

export interface Heading {
  /** From 1, the title of the page. */
  readonly level: number;
  readonly text: string;
}

export function headingsOf(page: string): Heading[] {
  return [...withoutCode(page).matchAll(/^(#+) (.+)$/gm)].map(([, hashes, text]) => ({
    level: hashes!.length,
    text: text!,
  }));
}

/** The anchor that GitHub gives to a heading. */
export function slugOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

/** The anchors of a page: those of its headings, and those it sets itself. */
export function anchorsOf(page: string): string[] {
  return [
    ...headingsOf(page).map(({ text }) => slugOf(text)),
    ...[...withoutCode(page).matchAll(/^<a id="([^"]+)"><\/a>$/gm)].map(([, id]) => id!),
  ];
}

export interface Fence {
  readonly language: string;
  readonly code: string;
  /** The line before the block that is not empty. */
  readonly lineBefore: string;
}

export function fencesOf(page: string): Fence[] {
  return [...page.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map((match) => ({
    language: match[1]!,
    code: match[2]!,
    lineBefore: page.slice(0, match.index).trimEnd().split('\n').at(-1)!,
  }));
}
