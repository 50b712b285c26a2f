import sharp, { type OutputInfo, type SharpOptions } from 'sharp';
import { imageSizes, type ImageFormat, type ImageSize } from '@app/features/image';

/** The largest image that is decoded: about 75 MB as RGB, 100 MB with transparency, at 8 bits per channel. */
const megapixels = 25;

/**
 * Limits the number of pixels, because a file of a few bytes can need gigabytes of memory when it is decoded. Refuses a
 * file when libvips reports an error in its pixels. A warning does not count, although sharp recommends its stricter
 * default for untrusted input: libvips also warns of files that every browser shows.
 */
const limits: SharpOptions = { limitInputPixels: megapixels * 1_000_000, failOn: 'error' };

/** The time limit of one step: well below the job's time-out, and far above the time for the largest image. */
const stepSeconds = 60;

// libvips may read only the formats that callers may send: an SVG, for example, may refer to other files.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: [
    'VipsForeignLoadJpeg',
    'VipsForeignLoadPng',
    'VipsForeignLoadWebp',
    'VipsForeignLoadHeif',
    'VipsForeignLoadNsgif',
  ],
});
// The jobs of a process run in parallel on its cores; threads within one job would only compete with other jobs.
sharp.concurrency(1);
// No two jobs share an image.
sharp.cache(false);

/** The image itself is invalid; a retry cannot help. */
export class PictureRefused extends Error {}

/** Upright pixels in sRGB without metadata, at most as large as the largest variant. */
export class Picture {
  private constructor(
    private readonly pixels: Buffer,
    private readonly info: OutputInfo,
  ) {}

  /**
   * Decodes an image; of an animation, the first frame.
   * @throws PictureRefused
   */
  static async decode(file: Buffer): Promise<Picture> {
    try {
      // Reads only the header first: an image that is too large is never decoded.
      const { width, height } = await sharp(file, limits).metadata();
      if (!width || !height) throw new Error('its header says that it has no pixels');
      const { data, info } = await sharp(file, limits)
        .autoOrient()
        .resize(within(imageSizes.large))
        .toColourspace('srgb')
        .timeout({ seconds: stepSeconds })
        .raw()
        .toBuffer({ resolveWithObject: true });
      return new Picture(data, info);
    } catch (error) {
      throw refusalOf(error) ?? error;
    }
  }

  /** @returns the same bytes for the same picture, every time */
  async encode(size: ImageSize, format: ImageFormat) {
    const { width, height, channels } = this.info;
    const scaled = sharp(this.pixels, { raw: { width, height, channels } }).resize(within(imageSizes[size]));
    const { data, info } = await encoders[format](scaled)
      .timeout({ seconds: stepSeconds })
      .toBuffer({ resolveWithObject: true });
    return { bytes: data, width: info.width, height: info.height };
  }
}

const encoders: Readonly<Record<ImageFormat, (image: sharp.Sharp) => sharp.Sharp>> = {
  // Half the default effort: a fraction of the time, and files that are about a fifth larger.
  avif: (image) => image.avif({ quality: 50, effort: 2 }),
  webp: (image) => image.webp({ quality: 80 }),
  // JPEG has no transparency.
  jpeg: (image) => image.flatten({ background: '#fff' }).jpeg({ quality: 80 }),
};

const within = (side: number): sharp.ResizeOptions => ({
  width: side,
  height: side,
  fit: 'inside',
  withoutEnlargement: true,
});

/**
 * @returns the refusal when libvips rejects the image. A step that took too long may have run on a busy machine, so
 *   that is no refusal
 */
function refusalOf(error: unknown): PictureRefused | undefined {
  const { message } = error as Error;
  if (message.startsWith('timeout')) return undefined;
  const why = message.includes('pixel limit') ? `expected at most ${megapixels} megapixels` : message;
  return new PictureRefused(`The image cannot be read: ${why}.`);
}
