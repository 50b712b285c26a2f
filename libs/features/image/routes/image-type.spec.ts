import sharp from 'sharp';
import { imageUploadTypes, type ImageUploadType } from '@app/features/image';
import { headBytes, imageTypeOf } from './image-type';

const dot = sharp({ create: { width: 1, height: 1, channels: 3, background: '#fff' } });

describe('the type of an image', () => {
  it.each(Object.keys(imageUploadTypes) as ImageUploadType[])('%s is told by its first bytes', async (type) => {
    const file = await dot
      .clone()
      .toFormat(type.slice('image/'.length) as 'png')
      .toBuffer();
    expect(imageTypeOf(file.subarray(0, headBytes))).toBe(type);
  });

  it.each([
    ['nothing', ''],
    ['too little', '\x89PNG'],
    ['a text', 'hello, world'],
    ['an SVG', '<svg xmlns="http://www.w3.org/2000/svg"/>'],
    ['a PDF', '%PDF-1.7\n1 0 obj'],
    ['a WAV, which begins as a WebP does', 'RIFF\x24\x00\x00\x00WAVEfmt '],
    ['an MP4, which begins as an AVIF does', '\x00\x00\x00\x18ftypmp42'],
  ])('%s is none', (_, file) => {
    expect(imageTypeOf(Buffer.from(file, 'latin1').subarray(0, headBytes))).toBeUndefined();
  });
});
