import { toHalf } from '@voxface/models';

/**
 * Little-endian bytes of values rounded to half precision, ties to even.
 * @throws RangeError when a value is beyond the largest half (65504).
 */
export function halfBytes(values: ArrayLike<number>): Uint8Array {
  for (let i = 0; i < values.length; i++) {
    if (!(Math.abs(values[i]) < 65520)) {
      throw new RangeError(`halfBytes: half precision ends at 65504, got ${values[i]} (export as float32)`);
    }
  }
  const words = new DataView(new ArrayBuffer(values.length * 2));
  toHalf(Float32Array.from(values)).forEach((word, i) => {
    words.setUint16(2 * i, word, true);
  });
  return new Uint8Array(words.buffer);
}
