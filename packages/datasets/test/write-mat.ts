/** Writes 2D matrices of doubles as an uncompressed MATLAB level 5 file; `data` column-major. */
export function writeMat(
  variables: Record<string, { shape: [number, number]; data: ArrayLike<number> }>,
): Uint8Array {
  const parts: Uint8Array[] = [new Uint8Array(128)];
  parts[0].set(new TextEncoder().encode('MATLAB 5.0 MAT-file'.padEnd(124)));
  parts[0].set([0x00, 0x01, 0x49, 0x4d], 124);
  for (const [name, { shape, data }] of Object.entries(variables)) {
    const body = Buffer.concat([
      element(6, Uint32Array.of(6, 0)),
      element(5, Int32Array.from(shape)),
      element(1, new TextEncoder().encode(name)),
      element(9, Float64Array.from(data)),
    ]);
    parts.push(Buffer.concat([Buffer.from(Uint32Array.of(14, body.length).buffer), body]));
  }
  return new Uint8Array(Buffer.concat(parts));
}

function element(type: number, values: ArrayBufferView): Uint8Array {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const padded = new Uint8Array(8 + Math.ceil(bytes.length / 8) * 8);
  padded.set(new Uint8Array(Uint32Array.of(type, bytes.length).buffer));
  padded.set(bytes, 8);
  return padded;
}
