import sharp from 'sharp';
import { imageFormats, imageSizeNames } from '@app/features/image';
import { Picture, PictureRefused } from './picture';

const red = { r: 255, g: 0, b: 0 };
const blue = { r: 0, g: 0, b: 255 };

/** Two halves, so that its sides can be told apart: red on the left, blue on the right. */
function halves(width: number, height: number): sharp.Sharp {
  const right = { create: { width: width / 2, height, channels: 3, background: blue } } as const;
  return sharp({ create: { width, height, channels: 3, background: red } }).composite([
    { input: right, left: width / 2, top: 0 },
  ]);
}

async function colourAt(file: Buffer, left: number, top: number): Promise<'red' | 'blue' | 'white' | number[]> {
  const pixel = await sharp(file).extract({ left, top, width: 1, height: 1 }).removeAlpha().raw().toBuffer();
  const near = (r: number, g: number, b: number) => [r, g, b].every((value, at) => Math.abs(value - pixel[at]!) < 40);
  if (near(255, 0, 0)) return 'red';
  if (near(0, 0, 255)) return 'blue';
  return near(255, 255, 255) ? 'white' : [...pixel];
}

describe('a picture', () => {
  it('is made smaller, to fit, and never larger', async () => {
    const picture = await Picture.decode(await halves(1700, 340).jpeg().toBuffer());
    const sizes = await Promise.all(
      imageSizeNames.map(async (name) => {
        const { bytes, width, height } = await picture.encode(name, 'jpeg');
        expect(await sharp(bytes).metadata()).toMatchObject({ width, height });
        return [name, width, height];
      }),
    );
    expect(sizes).toEqual([
      ['thumb', 200, 40],
      ['medium', 800, 160],
      ['large', 1600, 320],
    ]);
    const small = await Picture.decode(await halves(60, 40).png().toBuffer());
    expect(await small.encode('large', 'webp')).toMatchObject({ width: 60, height: 40 });
  });

  it.each(imageFormats)('is written as %s, the same bytes each time', async (format) => {
    const picture = await Picture.decode(await halves(120, 60).png().toBuffer());
    const { bytes } = await picture.encode('thumb', format);
    const { format: container, compression } = await sharp(bytes).metadata();
    expect(compression === 'av1' ? 'avif' : container).toBe(format);
    expect([await colourAt(bytes, 20, 30), await colourAt(bytes, 100, 30)]).toEqual(['red', 'blue']);
    const again = await Picture.decode(await halves(120, 60).png().toBuffer());
    expect((await again.encode('thumb', format)).bytes.equals(bytes)).toBe(true);
  });

  it.each([
    [20_000, 10],
    [10, 20_000],
    [1, 1],
    [1, 16_384],
  ])('of %i by %i pixels has at least one pixel a side in every format', async (width, height) => {
    const file = await sharp({ create: { width, height, channels: 3, background: red } })
      .png()
      .toBuffer();
    const picture = await Picture.decode(file);
    for (const format of imageFormats) {
      const { bytes, ...size } = await picture.encode('thumb', format);
      expect(await sharp(bytes).metadata()).toMatchObject(size);
      expect(Math.min(size.width, size.height)).toBe(1);
    }
  });

  it('stands upright, however the camera was held, and says nothing of where it was', async () => {
    const file = await halves(120, 60)
      .jpeg()
      .withExif({ IFD0: { Artist: 'Ada' }, IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '51/1 30/1 0/1' } })
      .withMetadata({ orientation: 6 }) // Lies on its side: to be turned clockwise.
      .withIccProfile('p3')
      .toBuffer();
    expect(await sharp(file).metadata()).toMatchObject({ orientation: 6, exif: expect.any(Buffer) });
    const picture = await Picture.decode(file);
    for (const format of imageFormats) {
      const { bytes, width, height } = await picture.encode('thumb', format);
      expect([format, width, height]).toEqual([format, 60, 120]);
      expect([await colourAt(bytes, 30, 20), await colourAt(bytes, 30, 100)]).toEqual(['red', 'blue']);
      const { exif, icc, xmp, iptc, orientation = 1 } = await sharp(bytes).metadata();
      expect({ exif, icc, xmp, iptc, orientation }).toEqual({ orientation: 1 });
      expect(bytes.includes('Ada')).toBe(false);
    }
  });

  it('keeps what is transparent, and has white there where a format cannot', async () => {
    const clear = { create: { width: 40, height: 40, channels: 4, background: { ...red, alpha: 0 } } } as const;
    const picture = await Picture.decode(await sharp(clear).png().toBuffer());
    for (const format of ['webp', 'avif'] as const) {
      const { bytes } = await picture.encode('thumb', format);
      expect((await sharp(bytes).stats()).channels[3]).toMatchObject({ max: 0 });
    }
    expect(await colourAt((await picture.encode('thumb', 'jpeg')).bytes, 20, 20)).toBe('white');
  });

  it('is read from what is grey, has 16 bits, or moves', async () => {
    const files = {
      grey: await halves(40, 20).toColourspace('b-w').png().toBuffer(),
      deep: await halves(40, 20).toColourspace('rgb16').png().toBuffer(),
      gif: await halves(40, 20).gif().toBuffer(),
      cmyk: await halves(40, 20).toColourspace('cmyk').jpeg().toBuffer(),
    };
    for (const [what, file] of Object.entries(files)) {
      const { width, height, bytes } = await (await Picture.decode(file)).encode('thumb', 'jpeg');
      expect([what, width, height]).toEqual([what, 40, 20]);
      if (what !== 'grey') expect([what, await colourAt(bytes, 5, 10)]).toEqual([what, 'red']);
    }
  });

  describe('is refused, and it is said why,', () => {
    const refusal = (file: Buffer) =>
      Picture.decode(file).then(
        () => 'none',
        (error: unknown) => (error instanceof PictureRefused ? error.message : error),
      );

    it('for more pixels than it may have: they are never decoded', async () => {
      const bomb = await sharp({ create: { width: 5_001, height: 5_000, channels: 3, background: red } })
        .png({ compressionLevel: 9, progressive: false })
        .toBuffer();
      expect(bomb.length).toBeLessThan(400_000);
      expect(await refusal(bomb)).toBe('The image cannot be read: expected at most 25 megapixels.');
    });

    it.each(['jpeg', 'png', 'webp', 'avif', 'gif'] as const)(
      'for the half of a file that is missing (%s)',
      async (format) => {
        const noise = { type: 'gaussian', mean: 128, sigma: 60 } as const;
        const file = await sharp({ create: { width: 64, height: 64, channels: 3, background: red, noise } })
          .toFormat(format)
          .toBuffer();
        expect(await refusal(file)).toBe('none');
        expect(await refusal(file.subarray(0, file.length / 2))).toMatch(/^The image cannot be read: ./);
      },
    );

    it.each([
      ['a text', 'hello, world, this is no image'],
      ['an SVG', '<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><rect width="5" height="5"/></svg>'],
      ['nothing', ''],
    ])('for %s', async (_, text) => {
      expect(await refusal(Buffer.from(text))).toMatch(/^The image cannot be read: ./);
    });

    it('for a TIFF, which is an image, and nobody may send', async () => {
      expect(await refusal(await halves(10, 10).tiff().toBuffer())).toMatch(/unsupported image format/);
    });
  });
});
