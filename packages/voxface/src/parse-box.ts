import type { Box } from '@voxface/landmarks';
import { UsageError } from './errors.ts';

/** Reads `X,Y,W,H` (pixels). */
export function parseBox(text: string): Box {
  const values = text.split(',').map(Number);
  const [x, y, width, height] = values;
  if (values.length !== 4 || values.some((v) => !Number.isFinite(v)) || width <= 0 || height <= 0) {
    throw new UsageError(`--box: expected X,Y,W,H in pixels with positive W and H, got ${text}`);
  }
  return { x, y, width, height };
}
