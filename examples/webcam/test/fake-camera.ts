import { writeFileSync } from 'node:fs';
import sharp from 'sharp';

/**
 * Writes a photo as a Y4M video of two equal frames, which Chromium plays as its camera.
 * @returns the size of the video in pixels (even numbers).
 */
export async function writeFakeCamera(
  photo: string,
  file: string,
  width: number,
): Promise<{ width: number; height: number }> {
  const { data, info } = await sharp(photo)
    .resize({ width })
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const size = { width: info.width & ~1, height: info.height & ~1 };
  const frame = toYuv420(data, info.width, size.width, size.height);
  const head = Buffer.from(`YUV4MPEG2 W${size.width} H${size.height} F10:1 Ip A1:1 C420jpeg\n`);
  const mark = Buffer.from('FRAME\n');
  writeFileSync(file, Buffer.concat([head, mark, frame, mark, frame]));
  return size;
}

/** ITU-R BT.601 with studio range, chroma of the top-left pixel of each 2 x 2 block. */
function toYuv420(rgb: Uint8Array, stride: number, width: number, height: number): Buffer {
  const luma = Buffer.alloc(width * height);
  const blue = Buffer.alloc((width * height) / 4);
  const red = Buffer.alloc((width * height) / 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [r, g, b] = rgb.subarray(3 * (y * stride + x));
      luma[y * width + x] = 16 + 0.257 * r + 0.504 * g + 0.098 * b;
      if (x % 2 || y % 2) continue;
      const at = (y / 2) * (width / 2) + x / 2;
      blue[at] = 128 - 0.148 * r - 0.291 * g + 0.439 * b;
      red[at] = 128 + 0.439 * r - 0.368 * g - 0.071 * b;
    }
  }
  return Buffer.concat([luma, blue, red]);
}
