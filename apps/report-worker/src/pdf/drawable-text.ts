import { writable } from '../file-text';

/** The geta mark, which replaces a missing character in print. */
const missing = '〓';
const mostCharacters = 200;

/** The parts of pdfkit's document that its types omit. */
interface DocumentWithFont {
  readonly _font: { readonly font: { hasGlyphForCodePoint(codePoint: number): boolean } };
}

/**
 * Makes a text that the document's font can draw, in one line. Each sequence of characters that the font lacks becomes
 * one 〓, so that a reader sees the gap. Marks that only control the layout are dropped.
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
