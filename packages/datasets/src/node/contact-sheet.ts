import { countLandmarks } from '@voxface/landmarks';
import sharp from 'sharp';
import { cropSample } from '../crop-sample.ts';
import type { Sample } from '../sample.ts';

export interface ContactSheetOptions {
  /** Side of one face, pixels. */
  size?: number;
  columns?: number;
}

export const CONTACT_SHEET_DEFAULTS: Required<ContactSheetOptions> = { size: 160, columns: 8 };

/**
 * Draws faces in a grid, each cut a little wider than for training, with its landmarks as dots: green, or from
 * yellow (near) to blue (far) where there is a depth. Hidden landmarks are left out.
 * @returns PNG bytes.
 */
export async function drawContactSheet(
  samples: readonly Sample[],
  options: ContactSheetOptions = {},
): Promise<Uint8Array> {
  const { size, columns } = { ...CONTACT_SHEET_DEFAULTS, ...options };
  const across = Math.min(columns, samples.length);
  const down = Math.ceil(samples.length / columns);
  const width = across * size;
  const sheet = new Uint8Array(width * down * size * 3);
  samples.forEach((sample, k) => {
    const { pixels } = drawFace(sample, size);
    const left = (k % columns) * size;
    const top = Math.floor(k / columns) * size;
    for (let row = 0; row < size; row++) {
      sheet.set(pixels.subarray(row * size * 3, (row + 1) * size * 3), ((top + row) * width + left) * 3);
    }
  });
  return new Uint8Array(
    await sharp(sheet, { raw: { width, height: down * size, channels: 3 } })
      .png({ compressionLevel: 9 })
      .toBuffer(),
  );
}

function drawFace(sample: Sample, size: number): { pixels: Uint8Array } {
  const { pixels, landmarks, visible } = cropSample(sample, { size, cropScale: 1.5 });
  const { points, dims } = landmarks;
  for (let i = 0; i < countLandmarks(landmarks); i++) {
    if (visible && !visible[i]) continue;
    const x = Math.round(points[i * dims] * size - 0.5);
    const y = Math.round(points[i * dims + 1] * size - 0.5);
    const far = dims === 3 ? Math.min(1, Math.max(0, points[3 * i + 2] + 0.5)) : 0.5;
    const color = dims === 3 ? [255 * (1 - far), 255 * (1 - far), 255 * far] : [0, 255, 0];
    for (const [px, py] of [
      [x, y],
      [x + 1, y],
      [x, y + 1],
      [x + 1, y + 1],
    ]) {
      if (px >= 0 && py >= 0 && px < size && py < size) pixels.set(color, (py * size + px) * 3);
    }
  }
  return { pixels };
}
