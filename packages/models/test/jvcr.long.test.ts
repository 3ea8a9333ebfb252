import '@tensorflow/tfjs-backend-cpu';
import { readFile } from 'node:fs/promises';
import { deflateRawSync, gunzipSync } from 'node:zlib';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { estimateVolumes, regressCoordinates } from '../src/index.ts';
import { readCheckpoint } from '../src/jvcr/read-checkpoint.ts';
import { importJvcrCheckpoint } from '../src/jvcr.ts';
import golden from './golden/jvcr.json' with { type: 'json' };

beforeAll(async () => {
  await tf.setBackend('cpu');
});

async function open(name: string): Promise<Uint8Array> {
  return gunzipSync(await readFile(new URL(`./golden/${name}.pth.tar.gz`, import.meta.url)));
}

const size = golden.inputSize;
const picture = (): tf.Tensor4D => {
  const values: number[] = [];
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const [x, y] = [column / size, row / size];
      values.push(x, y, (x * y * 7) % 1);
    }
  }
  return tf.tensor4d(values, [1, size, size, 3]);
};

describe.each(['zip', 'legacy'])('importJvcrCheckpoint, %s format', (format) => {
  it('predicts what PyTorch predicts, in crop units', async () => {
    const before = tf.memory().numTensors;
    const model = await importJvcrCheckpoint(await open(`jvcr-${format}`), { inputSize: size, landmarks: 5 });
    expect(model.options).toMatchObject({ features: 4, depths: [1, 16], hourglassDepth: 1, channels: 1 });
    tf.tidy(() => {
      const images = picture();
      const volumes = estimateVolumes(model, images);
      volumes.forEach((volume, m) => {
        const sampled = tf.stridedSlice(volume, [0, 0, 0, 0, 0], volume.shape, [1, 5, 5, 1, 1]).dataSync();
        golden.volumes[m].forEach((value, i) => {
          expect(Math.abs(sampled[i] - value)).toBeLessThan(1e-4);
        });
      });
      const points = regressCoordinates(model, volumes, images).dataSync();
      for (let i = 0; i < 15; i++) {
        const pixels = golden.points[i] * (size - 1);
        const unit = i % 3 === 2 ? pixels / size - 0.5 : (pixels + 0.5) / size;
        expect(Math.abs(points[i] - unit)).toBeLessThan(1e-4);
      }
    });
    model.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('refuses a payload by name and runs nothing', async () => {
    await expect(readCheckpoint(await open(`jvcr-hostile-${format}`))).rejects.toThrow(
      /refuses (posix|nt|os)\.system/,
    );
  });

  it('says that a file is cut off', async () => {
    const bytes = await open(`jvcr-${format}`);
    for (const part of [0.3, 0.8, 0.995]) {
      const cut = bytes.subarray(0, Math.floor(bytes.length * part));
      await expect(importJvcrCheckpoint(cut, { inputSize: size })).rejects.toThrow(/cut off|ends/);
    }
  });

  it('names what does not fit', async () => {
    const bytes = await open(`jvcr-${format}`);
    await expect(importJvcrCheckpoint(bytes, { inputSize: size, landmarks: 68 })).rejects.toThrow(
      /fc_cord must predict 68 landmarks, got 21 outputs/,
    );
    await expect(importJvcrCheckpoint(bytes, { inputSize: 128, landmarks: 5 })).rejects.toThrow(
      /encoder_conv5\/kernel is \[1, 1, 1, 4, 4\] instead of \[2, 2, 1, 4, 4\]/,
    );
  });
});

describe('readCheckpoint', () => {
  it('refuses other files, other instructions and calls of data', async () => {
    await expect(readCheckpoint(new TextEncoder().encode('hello, world'))).rejects.toThrow(/torch.save/);
    const start = [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e];
    const pickle = (...codes: number[]) => readCheckpoint(Uint8Array.from([...start, ...codes]));
    await expect(pickle(0x80, 2, 0x69)).rejects.toThrow(/refuses instruction 0x69 at byte 17/);
    await expect(pickle(0x80, 2, 0x4b, 1, 0x29, 0x52)).rejects.toThrow(/refuses to call 1/);
    await expect(pickle(0x80, 2, 0x52)).rejects.toThrow(/empty stack/);
    const eval4 = [
      ...new TextEncoder().encode('\x8c\x08builtins'),
      ...new TextEncoder().encode('\x8c\x04eval'),
    ];
    const bytes = eval4.filter((code) => code !== 0xc2);
    await expect(pickle(0x80, 4, ...bytes, 0x93)).rejects.toThrow(/refuses builtins\.eval/);
  });

  /** A legacy file: magic number, protocol and notes, then these instructions for the object. */
  const legacy = (...codes: number[]): Promise<unknown> => {
    const magic = [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e];
    const none = [0x80, 2, 0x4e, 0x2e];
    return readCheckpoint(
      Uint8Array.from([...magic, ...none, ...none, 0x80, 2, ...codes, 0x80, 2, 0x5d, 0x2e]),
    );
  };

  it('keeps what is shared shared: a few hundred bytes stay a few hundred bytes', async () => {
    // Forty lists, each of which holds the one before twice.
    const codes = [0x5d, 0x71, 0];
    for (let i = 1; i <= 40; i++) codes.push(0x28, 0x68, i - 1, 0x68, i - 1, 0x74, 0x71, i);
    const value = (await legacy(...codes, 0x2e)) as unknown[][];
    expect(value).toHaveLength(2);
    expect(value[0]).toBe(value[1]);
  });

  it('refuses circles, deep nesting and endless numbers', async () => {
    // A list that is appended to itself.
    await expect(legacy(0x5d, 0x71, 0, 0x68, 0, 0x61, 0x2e)).rejects.toThrow(/must hold no circle/);
    const deep = Array.from({ length: 5000 }, () => [0x28]).flat();
    await expect(legacy(...deep, ...deep.map(() => 0x74), 0x2e)).rejects.toThrow(/at most 100 others/);
    await expect(legacy(0x8b, 0, 0, 32, 0, 0x2e)).rejects.toThrow(/at most 16 bytes, got 2097152/);
  });

  it('refuses tensors that repeat values, and more bytes than allowed', async () => {
    const text = (value: string): number[] => [0x8c, value.length, ...new TextEncoder().encode(value)];
    const global = (module: string, name: string): number[] => [...text(module), ...text(name), 0x93];
    const view = (count: number[], shape: number[], strides: number[]): number[] => [
      ...global('torch._utils', '_rebuild_tensor_v2'),
      0x28,
      ...[
        0x28,
        ...text('storage'),
        ...global('torch', 'FloatStorage'),
        ...text('0'),
        ...text('cpu'),
        ...count,
      ],
      ...[0x74, 0x51, 0x4b, 0],
      ...[0x28, ...shape.flatMap((v) => [0x4b, v]), 0x74, 0x28, ...strides.flatMap((v) => [0x4b, v]), 0x74],
      ...[0x74, 0x52, 0x2e],
    ];
    await expect(legacy(...view([0x4b, 2], [255, 255, 255, 255], [0, 0, 0, 0]))).rejects.toThrow(
      /must take at most 500000000 bytes/,
    );
    await expect(legacy(...view([0x4a, 255, 255, 255, 255], [2], [1]))).rejects.toThrow(
      /must say its values/,
    );
    await expect(legacy(...view([0x47, 0x40, 4, 0, 0, 0, 0, 0, 0], [2], [1]))).rejects.toThrow(
      /must say its values/,
    );
  });

  it('stops unpacking at its limit, also where entries share their bytes', async () => {
    const zeros = deflateRawSync(Buffer.alloc(1 << 20));
    const local = Buffer.alloc(30 + 1);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(8, 8);
    local.writeUInt16LE(1, 26);
    local.write('a', 30);
    const entries = Array.from({ length: 50 }, (_, i) => {
      const entry = Buffer.alloc(46 + 2);
      entry.writeUInt32LE(0x02014b50, 0);
      entry.writeUInt16LE(8, 10);
      entry.writeUInt32LE(zeros.length, 20);
      entry.writeUInt16LE(2, 28);
      entry.write(String(10 + i), 46);
      return entry;
    });
    const end = Buffer.alloc(22);
    end.writeUInt32LE(0x06054b50, 0);
    end.writeUInt16LE(entries.length, 10);
    end.writeUInt32LE(local.length + zeros.length, 16);
    const bytes = Buffer.concat([local, zeros, ...entries, end]);
    await expect(readCheckpoint(bytes, { maxBytes: 10e6 })).rejects.toThrow(
      /must unpack to at most 10000000 bytes, got more with 19 /,
    );
  });
});
