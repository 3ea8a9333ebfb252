const bits = new Uint32Array(1);
const float = new Float32Array(bits.buffer);

/**
 * Little-endian bytes of values rounded to half precision, ties to even.
 * @throws RangeError when a value is beyond the largest half (65504).
 */
export function halfBytes(values: ArrayLike<number>): Uint8Array {
  const words = new DataView(new ArrayBuffer(values.length * 2));
  for (let i = 0; i < values.length; i++) {
    if (!(Math.abs(values[i]) < 65520)) {
      throw new RangeError(`halfBytes: half precision ends at 65504, got ${values[i]} (export as float32)`);
    }
    words.setUint16(2 * i, halfWord(values[i]), true);
  }
  return new Uint8Array(words.buffer);
}

/** Adding a power of two of the right size lets float32 addition do the rounding to 10 fraction bits. */
function halfWord(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.fround(Math.abs(value));
  if (magnitude < 2 ** -14) return sign | roundEven(magnitude * 2 ** 24);
  float[0] = magnitude;
  const exponent = (bits[0] >>> 23) - 127;
  const fraction = roundEven((magnitude / 2 ** exponent - 1) * 1024);
  return sign | (((exponent + 15) << 10) + fraction);
}

function roundEven(value: number): number {
  const low = Math.floor(value);
  const rest = value - low;
  return rest > 0.5 || (rest === 0.5 && low % 2 === 1) ? low + 1 : low;
}
