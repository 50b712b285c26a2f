import { lookup } from 'mime-types';

/**
 * A part of letters, digits, `.`, `_` and `-` that begins with a letter or a digit: no `..`, no hidden file, no `\`.
 */
const part = '[A-Za-z0-9][A-Za-z0-9._-]{0,199}';
const keyPattern = new RegExp(`^${part}(/${part}){0,7}$`);
const prefixPattern = new RegExp(`^(${part}/){1,7}$`);

/** An invalid name for a file. Our own code makes keys, so this is a programming error. */
export class InvalidFileKey extends Error {
  readonly code = 'file_key_invalid';

  constructor(expected: string, got: string) {
    super(`Expected ${expected}, got ${JSON.stringify(got)}.`);
    this.name = 'InvalidFileKey';
  }
}

/** @throws InvalidFileKey for a key that could lead out of the store's folder on any operating system */
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
 * The extension of a key must match its content type, so that the type needs no other record.
 * @throws InvalidFileKey for an unknown extension, or one of another type
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
