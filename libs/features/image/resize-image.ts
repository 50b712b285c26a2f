import { z } from 'zod';
import { defineJob, exponential } from '@app/contracts';

/** The longest side of each variant, in pixels. A smaller image keeps its size. */
export const imageSizes = { thumb: 200, medium: 800, large: 1600 } as const;

export type ImageSize = keyof typeof imageSizes;

export const imageSizeNames = Object.keys(imageSizes) as [ImageSize, ...ImageSize[]];

/** The formats of each variant, from the smallest file to the one that every browser reads. */
export const imageFormats = ['avif', 'webp', 'jpeg'] as const;

export type ImageFormat = (typeof imageFormats)[number];

/** The types that may be uploaded, recognised by their first bytes, with the extension of the stored file. */
export const imageUploadTypes = {
  'image/jpeg': 'jpg',
  'image/png': 'png',
  'image/webp': 'webp',
  'image/avif': 'avif',
  'image/gif': 'gif',
} as const;

export type ImageUploadType = keyof typeof imageUploadTypes;

const uploadKey = new RegExp(`^uploads/[0-9a-f-]{36}\\.(${Object.values(imageUploadTypes).join('|')})$`);

export const resizeImage = defineJob({
  kind: 'image.resize',
  version: 1,
  queue: 'image',
  broker: 'rabbitmq',
  // Neither a message nor a row of the ledger should hold the bytes of the upload.
  payload: z.strictObject({
    upload: z.string().regex(uploadKey, { error: 'expected the key of a stored upload' }),
  }),
  result: z.strictObject({
    variants: z.array(
      z.strictObject({
        name: z.enum(imageSizeNames),
        width: z.int().min(1),
        height: z.int().min(1),
        format: z.enum(imageFormats),
        bytes: z.int().min(1),
        id: z.uuid().describe('The id of the file.'),
      }),
    ),
  }),
  retry: exponential({ attempts: 4, base: '2s', max: '2m', jitter: 'full' }),
  timeout: '2m',
  // Each handler uses one core and holds one decoded image.
  concurrency: 3,
  concurrencyPerTenant: 2,
  withLinks: ({ variants }, urlOf) => ({
    variants: variants.map(({ id, ...variant }) => ({ ...variant, url: urlOf(id) })),
  }),
});
