import sharp, { type Metadata, type OutputInfo, type SharpOptions } from 'sharp';
import { imageSizes, type ImageFormat, type ImageSize } from '@app/features/image';

/** More than any phone's camera makes; 75 MB when decoded. */
const megapixels = 25;

/** A file of few bytes can ask for gigabytes, and one that is broken for anything. */
const limits: SharpOptions = { limitInputPixels: megapixels * 1_000_000, failOn: 'error' };

/** For one step. Well below the job's time-out, and far above what the largest image takes. */
const stepSeconds = 60;

// Of the formats that libvips reads only those that callers may send: an SVG, for one, may name other files.
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
// The jobs of a process run side by side on its cores; threads within one would only take turns with another's.
sharp.concurrency(1);
// No two jobs have an image in common.
sharp.cache(false);

/** The image itself is at fault: trying again cannot help. */
export class PictureRefused extends Error {}

export interface Encoded {
  readonly bytes: Buffer;
  readonly width: number;
  readonly height: number;
}

/** Pixels and nothing else: upright, in sRGB, with no metadata. At most as large as the largest variant. */
export class Picture {
  private constructor(
    private readonly pixels: Buffer,
    private readonly info: OutputInfo,
  ) {}

  /**
   * Of an animation it is the first frame.
   * @throws PictureRefused
   */
  static async decode(file: Buffer): Promise<Picture> {
    try {
      // The header alone is read first: what is too large there is never decoded.
      refuseWithoutSize(await sharp(file, limits).metadata());
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

  /** The same bytes for the same picture, however often. */
  async encode(size: ImageSize, format: ImageFormat): Promise<Encoded> {
    const { data, info } = await encoders[format](this.scaledTo(size))
      .timeout({ seconds: stepSeconds })
      .toBuffer({ resolveWithObject: true });
    return { bytes: data, width: info.width, height: info.height };
  }

  private scaledTo(size: ImageSize): sharp.Sharp {
    const { width, height, channels } = this.info;
    return sharp(this.pixels, { raw: { width, height, channels } }).resize(within(imageSizes[size]));
  }
}

const encoders: Readonly<Record<ImageFormat, (image: sharp.Sharp) => sharp.Sharp>> = {
  // Half the effort of the default: a fraction of its time, and files that are about a fifth larger.
  avif: (image) => image.avif({ quality: 50, effort: 2 }),
  webp: (image) => image.webp({ quality: 80 }),
  // It has no transparency.
  jpeg: (image) => image.flatten({ background: '#fff' }).jpeg({ quality: 80 }),
};

const within = (side: number): sharp.ResizeOptions => ({
  width: side,
  height: side,
  fit: 'inside',
  withoutEnlargement: true,
});

function refuseWithoutSize({ width, height }: Metadata): void {
  if (!width || !height) throw new Error('it says of itself that it has no pixels');
}

/** What libvips says of an image. A step that took too long may have done so because the machine was busy. */
function refusalOf(error: unknown): PictureRefused | undefined {
  const { message } = error as Error;
  if (message.startsWith('timeout')) return undefined;
  const why = message.includes('pixel limit') ? `expected at most ${megapixels} megapixels` : message;
  return new PictureRefused(`The image cannot be read: ${why}.`);
}
