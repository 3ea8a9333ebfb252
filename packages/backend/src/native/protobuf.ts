/**
 * Fields of protobuf messages, as SavedModel files and TensorBoard's events need them: tag, then value. A message is its fields
 * joined.
 */

/**
 * An integer; negative ones take ten bytes.
 * @internal
 */
export function varintField(field: number, value: number): Uint8Array {
  return joinBytes([Uint8Array.of(field << 3), varint(value)]);
}

/** The bytes of an integer, seven bits each, the lowest first. */
export function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest >= 128n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  return Uint8Array.from([...bytes, Number(rest)]);
}

/**
 * A double.
 * @internal
 */
export function doubleField(field: number, value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value, true);
  return joinBytes([Uint8Array.of((field << 3) | 1), bytes]);
}

/**
 * A float.
 * @internal
 */
export function floatField(field: number, value: number): Uint8Array {
  return joinBytes([Uint8Array.of((field << 3) | 5), float32(value)]);
}

/** The four bytes of a float. */
export function float32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return bytes;
}

/**
 * Bytes, or a message.
 * @internal
 */
export function bytesField(field: number, bytes: Uint8Array): Uint8Array {
  return joinBytes([Uint8Array.of((field << 3) | 2), varint(bytes.length), bytes]);
}

/**
 * A string.
 * @internal
 */
export function textField(field: number, text: string): Uint8Array {
  return bytesField(field, new TextEncoder().encode(text));
}

/**
 * One array of all parts.
 * @internal
 */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
