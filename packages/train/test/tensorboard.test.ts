import { describe, expect, it } from 'vitest';
import { encodeRecord, encodeScalarEvent, encodeVersionEvent, maskedCrc } from '../src/tensorboard.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe('TensorBoard records', () => {
  it('mask the CRC as TensorFlow does', () => {
    // crc32c("123456789") = e3069283; rotated right by 15 bits plus a282ead8.
    const rotated = ((0xe3069283 >>> 15) | (0xe3069283 << 17)) >>> 0;
    expect(maskedCrc(new TextEncoder().encode('123456789'))).toBe((rotated + 0xa282ead8) % 2 ** 32);
  });

  it('frame length, its CRC, the bytes and their CRC', () => {
    const record = encodeRecord(Uint8Array.of(1, 2, 3));
    const view = new DataView(record.buffer);
    expect(view.getBigUint64(0, true)).toBe(3n);
    expect(view.getUint32(8, true)).toBe(maskedCrc(record.subarray(0, 8)));
    expect([...record.subarray(12, 15)]).toEqual([1, 2, 3]);
    expect(view.getUint32(15, true)).toBe(maskedCrc(record.subarray(12, 15)));
  });

  it('hold Event messages, byte for byte', () => {
    const version = encodeVersionEvent(1.5);
    // double wall_time = 1: 1.5; string file_version = 3: "brain.Event:2".
    expect(hex(version.subarray(12, -4))).toBe(`09000000000000f83f1a0d${hex(Buffer.from('brain.Event:2'))}`);
    const scalar = encodeScalarEvent(1.5, 300, { a: 0.5 });
    // int64 step = 2: 300; Summary summary = 5 { Value value = 1 { string tag = 1; float simple_value = 2 } }.
    expect(hex(scalar.subarray(12, -4))).toBe('09000000000000f83f10ac022a0a0a080a0161150000003f');
  });
});
