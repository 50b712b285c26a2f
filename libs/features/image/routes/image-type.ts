import type { ImageUploadType } from '@app/features/image';

/** The number of bytes that identify every type. */
export const headBytes = 12;

/**
 * Identifies the type of an image by its first bytes, not by its name. The worker checks whether the file is complete.
 * @param head the first `headBytes` bytes
 * @returns undefined for any other file
 */
export function imageTypeOf(head: Buffer): ImageUploadType | undefined {
  const [type] = signatures.find(([, isOne]) => isOne(head)) ?? [];
  return type;
}

const signatures: readonly (readonly [ImageUploadType, (head: Buffer) => boolean])[] = [
  ['image/jpeg', (head) => head.subarray(0, 3).equals(Buffer.from([0xff, 0xd8, 0xff]))],
  ['image/png', (head) => text(head, 0, 8) === '\x89PNG\r\n\x1a\n'],
  ['image/gif', (head) => ['GIF87a', 'GIF89a'].includes(text(head, 0, 6))],
  ['image/webp', (head) => text(head, 0, 4) === 'RIFF' && text(head, 8, 12) === 'WEBP'],
  ['image/avif', (head) => text(head, 4, 8) === 'ftyp' && ['avif', 'avis'].includes(text(head, 8, 12))],
];

function text(head: Buffer, start: number, end: number): string {
  return head.toString('latin1', start, end);
}
