import { crc32c } from './crc32c.ts';

/**
 * TensorBoard's record format (TFRecord of Event messages), written by hand: an event is a few protobuf fields, a
 * record is length, masked CRC-32C of the length, bytes, masked CRC-32C of the bytes.
 */

/** First record of an event file. */
export function encodeVersionEvent(wallTime: number): Uint8Array<ArrayBuffer> {
  return encodeRecord(concatenate([doubleField(1, wallTime), textField(3, 'brain.Event:2')]));
}

/**
 * Record with scalars of one step.
 * @param wallTime seconds since 1970.
 */
export function encodeScalarEvent(
  wallTime: number,
  step: number,
  scalars: Readonly<Record<string, number>>,
): Uint8Array<ArrayBuffer> {
  const values = Object.entries(scalars).map(([tag, value]) =>
    bytesField(1, concatenate([textField(1, tag), floatField(2, value)])),
  );
  const summary = bytesField(5, concatenate(values));
  return encodeRecord(concatenate([doubleField(1, wallTime), varintField(2, step), summary]));
}

/** Wraps bytes as a TFRecord. */
export function encodeRecord(data: Uint8Array): Uint8Array<ArrayBuffer> {
  const record = new Uint8Array(data.length + 16);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc(record.subarray(0, 8)), true);
  record.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc(data), true);
  return record;
}

/** CRC-32C rotated right by 15 bits plus a constant, so that a CRC of data with CRCs in it stays useful. */
export function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  return [...bytes, rest];
}

function varintField(field: number, value: number): Uint8Array {
  return Uint8Array.from([field << 3, ...varint(value)]);
}

function doubleField(field: number, value: number): Uint8Array {
  const bytes = new Uint8Array(9);
  bytes[0] = (field << 3) | 1;
  new DataView(bytes.buffer).setFloat64(1, value, true);
  return bytes;
}

function floatField(field: number, value: number): Uint8Array {
  const bytes = new Uint8Array(5);
  bytes[0] = (field << 3) | 5;
  new DataView(bytes.buffer).setFloat32(1, value, true);
  return bytes;
}

function bytesField(field: number, bytes: Uint8Array): Uint8Array {
  return concatenate([Uint8Array.from([(field << 3) | 2, ...varint(bytes.length)]), bytes]);
}

function textField(field: number, text: string): Uint8Array {
  return bytesField(field, new TextEncoder().encode(text));
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
