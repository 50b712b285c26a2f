import { lookup } from 'mime-types';

/** Parts of letters, digits, `.`, `_` and `-` that begin with a letter or a digit: no `..`, nothing hidden, no `\`. */
const part = '[A-Za-z0-9][A-Za-z0-9._-]{0,199}';
const keyPattern = new RegExp(`^${part}(/${part}){0,7}$`);
const prefixPattern = new RegExp(`^(${part}/){1,7}$`);

/** A name under which no file can be kept. Keys are made by programs, so this is a fault of ours. */
export class InvalidFileKey extends Error {
  readonly code = 'file_key_invalid';

  constructor(expected: string, got: string) {
    super(`Expected ${expected}, got ${JSON.stringify(got)}.`);
    this.name = 'InvalidFileKey';
  }
}

/** @throws InvalidFileKey for whatever could lead out of the place of the files, on any system */
export function checkKey(key: string): void {
  if (!keyPattern.test(key)) {
    throw new InvalidFileKey('a key such as "reports/42/orders.csv", of letters, digits, dots, dashes', key);
  }
}

/** @throws InvalidFileKey */
export function checkPrefix(prefix: string): void {
  if (!prefixPattern.test(prefix))
    throw new InvalidFileKey('a prefix that ends in a slash, such as "reports/42/"', prefix);
}

/**
 * A key says by its extension what is in the file, so that nobody has to look it up elsewhere.
 * @throws InvalidFileKey when the extension is another type's, or says nothing
 */
export function checkContentType(key: string, contentType: string): void {
  const said = contentTypeOf(key);
  if (said !== contentType) {
    throw new InvalidFileKey(`a key with an extension of ${contentType} (${said} is what it has)`, key);
  }
}

export function contentTypeOf(key: string): string {
  return lookup(key) || 'application/octet-stream';
}
