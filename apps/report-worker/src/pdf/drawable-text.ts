import { writable } from '../file-text';

/** The geta mark, which stands in print for a character that is not at hand. */
const missing = '〓';
const mostCharacters = 200;

/** The parts of pdfkit's document that its types leave out. */
interface DocumentWithFont {
  readonly _font: { readonly font: { hasGlyphForCodePoint(codePoint: number): boolean } };
}

/**
 * A text as one line that the document's font can draw. Characters that the font does not have become one 〓, so that
 * a reader sees that something was there; marks that only steer the writing are dropped.
 */
export function drawable(document: PDFKit.PDFDocument, text: string): string {
  const { font } = (document as unknown as DocumentWithFont)._font;
  const line = writable(text.slice(0, mostCharacters))
    .normalize('NFC')
    .replace(/\s+/g, ' ')
    .replace(/[\p{Cf}\p{Variation_Selector}]/gu, '');
  const drawn = Array.from(line, (character) =>
    font.hasGlyphForCodePoint(character.codePointAt(0)!) ? character : missing,
  );
  return drawn.join('').replace(/〓+/g, missing);
}
