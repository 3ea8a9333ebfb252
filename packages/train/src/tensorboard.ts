import { bytesField, doubleField, floatField, joinBytes, textField, varintField } from '@voxface/backend';
import { crc32c } from './checkpoint.ts';

/**
 * TensorBoard's record format (TFRecord of Event messages): an event is a few protobuf fields, a
 * record is length, masked CRC-32C of the length, bytes, masked CRC-32C of the bytes.
 */

/** First record of an event file. */
export function encodeVersionEvent(wallTime: number): Uint8Array<ArrayBuffer> {
  return encodeRecord(joinBytes([doubleField(1, wallTime), textField(3, 'brain.Event:2')]));
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
    bytesField(1, joinBytes([textField(1, tag), floatField(2, value)])),
  );
  const summary = bytesField(5, joinBytes(values));
  return encodeRecord(joinBytes([doubleField(1, wallTime), varintField(2, step), summary]));
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
