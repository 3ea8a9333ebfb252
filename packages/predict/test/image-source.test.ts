import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { createRandom, type Pixels } from '@voxface/landmarks';
import { beforeAll, describe, expect, it } from 'vitest';
import { toPixels } from '../src/index.ts';

beforeAll(() => tf.setBackend('cpu'));

function noise(width: number, height: number, channels: 3 | 4 = 3): Pixels {
  const random = createRandom(width);
  const data = Uint8Array.from({ length: width * height * channels }, () => random.integer(256));
  return { data, width, height, channels };
}

describe('toPixels', () => {
  it('passes pixels, reads image data, decoded buffers and tensors', async () => {
    const rgb = noise(5, 4);
    expect(await toPixels(rgb)).toBe(rgb);
    const rgba = noise(5, 4, 4);
    const data = new Uint8ClampedArray(rgba.data);
    const imageData = { data, width: 5, height: 4, colorSpace: 'srgb' } as ImageData;
    expect(await toPixels(imageData)).toEqual({ data, width: 5, height: 4, channels: 4 });
    const grey = await toPixels({ data: Uint8Array.of(7, 9), info: { width: 2, height: 1, channels: 1 } });
    expect(Array.from(grey.data)).toEqual([7, 7, 7, 9, 9, 9]);
    const whole = tf.tensor3d(Array.from(rgb.data), [4, 5, 3], 'int32');
    const unit = tf.div(whole, 255) as tf.Tensor3D;
    expect(Array.from((await toPixels(whole)).data)).toEqual(Array.from(rgb.data));
    expect(Array.from((await toPixels(unit)).data)).toEqual(Array.from(rgb.data));
    tf.dispose([whole, unit]);
  });

  it('says what it cannot read', async () => {
    await expect(toPixels({ data: new Uint8Array(5), width: 2, height: 1, channels: 3 })).rejects.toThrow(
      /got 5/,
    );
    await expect(toPixels({} as never)).rejects.toThrow(/expected Pixels/);
    const flat = tf.zeros([2, 2, 1]) as tf.Tensor3D;
    await expect(toPixels(flat)).rejects.toThrow(/\[h, w, 3 or 4\], got \[2, 2, 1\]/);
    flat.dispose();
  });
});
