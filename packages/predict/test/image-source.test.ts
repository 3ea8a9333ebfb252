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

  it('refuses pictures of another range, type or number of channels, and says which', async () => {
    const { data, width, height } = noise(4, 3);
    const size = { width, height };
    const grey = new Uint8Array(width * height);
    const refused: [unknown, RegExp][] = [
      [
        { data: Float32Array.from(data, (v) => v / 255), ...size, channels: 3 },
        /must be bytes.*got Float32Array/,
      ],
      [{ data: Uint16Array.from(data), ...size, channels: 3 }, /must be bytes.*got Uint16Array/],
      [{ data: Array.from(data), ...size, channels: 3 }, /must be bytes.*got Array/],
      [{ data: new Float32Array(width * height * 4), ...size }, /must be bytes.*got Float32Array/],
      [{ data: Float32Array.from(data), info: { ...size, channels: 3 } }, /must be bytes.*got Float32Array/],
      [{ data: grey, ...size, channels: 1 }, /3 or 4 channels, got 1/],
      [{ data: new Uint8Array(2 * grey.length), ...size, channels: 2 }, /3 or 4 channels, got 2/],
      [{ data: new Uint8Array(5 * grey.length), info: { ...size, channels: 5 } }, /3 or 4 channels, got 5/],
      [{ data, width: 4.5, height, channels: 3 }, /got 36 for 4.5 x 3/],
      [{ data, width: -4, height: -3, channels: 3 }, /got 36 for -4 x -3/],
      [data, /got bytes alone \(Uint8Array of 36/],
      [data.buffer, /got bytes alone/],
      ['photo.jpg', /expected Pixels.*got "photo.jpg".*readImage/],
      [null, /expected Pixels.*got null/],
      [undefined, /expected Pixels.*got undefined/],
      [7, /expected Pixels.*got 7/],
    ];
    for (const [image, message] of refused) {
      await expect(toPixels(image as never), String(message)).rejects.toThrow(message);
    }
    // A realm of its own, as test runners have one, makes other constructors.
    const { runInNewContext } = await import('node:vm');
    const foreign = runInNewContext('new Uint8Array(36)') as Uint8Array;
    expect((await toPixels({ data: foreign, ...size, channels: 3 })).data).toBe(foreign);
  });

  it('refuses tensors of another range or type', async () => {
    const whole = tf.randomUniform([3, 4, 3], 2, 255, 'int32', 1) as tf.Tensor3D;
    const float = tf.cast(whole, 'float32');
    const cases: [tf.Tensor3D, RegExp][] = [
      [float, /float32 tensors must be in 0..1/],
      [tf.sub(tf.div(float, 127.5), 1), /float32 tensors must be in 0..1, got -0/],
      [tf.div(tf.sub(tf.div(float, 255), 0.45), 0.22), /float32 tensors must be in 0..1/],
      [tf.fill([3, 4, 3], Number.NaN), /got NaN/],
      [tf.mul(whole, tf.scalar(257, 'int32')), /int32 tensors must be in 0..255/],
      [tf.cast(whole, 'bool'), /float32 in 0..1 or int32 in 0..255, got bool/],
    ];
    for (const [tensor, message] of cases) await expect(toPixels(tensor)).rejects.toThrow(message);
    const resized = tf.add(tf.div(float, 255), 0.01) as tf.Tensor3D;
    expect((await toPixels(resized)).data).toHaveLength(36);
    tf.dispose([whole, float, resized, ...cases.map(([tensor]) => tensor)]);
  });
});
