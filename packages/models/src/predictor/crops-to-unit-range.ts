/**
 * Crops as the networks take them: bytes [b][size, size, 3] to floats [b, size, size, 3] in 0..1.
 * @throws RangeError when a crop has another size.
 */
export function cropsToUnitRange(crops: readonly Uint8Array[], size: number): Float32Array {
  const length = size * size * 3;
  const values = new Float32Array(crops.length * length);
  crops.forEach((crop, i) => {
    if (crop.length !== length) {
      throw new RangeError(
        `predictUnit: expected ${size} x ${size} x 3 bytes, got ${crop.length} at crop ${i}`,
      );
    }
    for (let k = 0; k < length; k++) values[i * length + k] = crop[k] / 255;
  });
  return values;
}
