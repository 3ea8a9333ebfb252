import '@tensorflow/tfjs-backend-cpu';
import { cp, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { ConfidenceCalibration } from '@voxface/predict';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createFaceShapeModel,
  decodeModelFile,
  encodeModelFile,
  estimateVolumes,
  type FaceShapeModel,
  loadModelFromUrl,
  PRESETS,
  regressCoordinates,
} from '../src/index.ts';
import { loadModel, saveModel } from '../src/node.ts';
import { toHalf } from '../src/weights/encode-network.ts';

let folder: string;
let model: FaceShapeModel;
beforeAll(async () => {
  await tf.setBackend('cpu');
  folder = await mkdtemp(join(tmpdir(), 'voxface-weights-'));
  model = createFaceShapeModel({ ...PRESETS.tiny, seed: 3 });
});
afterAll(async () => {
  model.dispose();
  await rm(folder, { recursive: true });
});

function predict(shape: FaceShapeModel): Float32Array {
  return tf.tidy(() => {
    const images = tf.randomUniform([1, 32, 32, 3], 0, 1, 'float32', 7) as tf.Tensor4D;
    const volumes = estimateVolumes(shape, images);
    const points = regressCoordinates(shape, volumes, images);
    return tf.concat([points, ...volumes].map((t) => tf.reshape(t, [-1]))).dataSync();
  }) as Float32Array;
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i])), 0);
}

describe('saveModel and loadModel', () => {
  it.each([
    ['float32', 0],
    ['float16', 2e-3],
    ['uint8', 2e-2],
  ] as const)('round-trips %s within %f', async (precision, tolerance) => {
    const path = join(folder, precision);
    await saveModel(model, path, { precision });
    const loaded = await loadModel(path);
    expect(loaded.options).toEqual(model.options);
    const difference = largestDifference(predict(loaded), predict(model));
    expect(difference).toBeLessThanOrEqual(tolerance);
    if (precision !== 'float32') expect(difference).toBeGreaterThan(0);
    loaded.dispose();
  });

  it('keeps the confidence calibration, in a folder and in a file', async () => {
    const confidence: ConfidenceCalibration = {
      version: 1,
      colors: [0.1, 0.2],
      shape: [0.5],
      face: { bias: -1.5, weights: [2] },
      accurate: [{ bias: 0, weights: [1] }],
      visible: [{ bias: 1, weights: [3] }],
    };
    const path = join(folder, 'judged');
    await saveModel({ ...model, confidence }, path);
    const loaded = await loadModel(path);
    const file = decodeModelFile(await encodeModelFile({ ...model, confidence }));
    expect([loaded.confidence, file.confidence]).toEqual([confidence, confidence]);
    loaded.dispose();
    file.dispose();
  });

  it('leaves no tensors behind', async () => {
    const before = tf.memory().numTensors;
    const path = join(folder, 'leak');
    await saveModel(model, path, { precision: 'float16' });
    (await loadModel(path)).dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('round-trips one file and says what other bytes are', async () => {
    const bytes = await encodeModelFile(model);
    await writeFile(join(folder, 'one.voxface'), bytes);
    const loaded = await loadModel(join(folder, 'one.voxface'));
    expect(predict(loaded)).toEqual(predict(model));
    loaded.dispose();
    expect(() => decodeModelFile(new TextEncoder().encode('not a model at all'))).toThrow(
      /start with VOXFACE1/,
    );
    expect(() => decodeModelFile(bytes.subarray(0, bytes.length - 4))).toThrow(/is the file cut off/);
  });

  it('loads by address', async () => {
    await saveModel(model, join(folder, 'web'));
    await writeFile(join(folder, 'web.voxface'), await encodeModelFile(model));
    const serve = (async (url: string) => {
      try {
        return new Response(await readFile(join(folder, new URL(url).pathname)));
      } catch {
        return new Response('', { status: 404 });
      }
    }) as typeof fetch;
    for (const path of ['web', 'web/', 'web/voxface.json', 'web.voxface']) {
      const loaded = await loadModelFromUrl(`https://example.org/${path}`, { fetch: serve });
      expect(predict(loaded)).toEqual(predict(model));
      loaded.dispose();
    }
    await expect(loadModelFromUrl('https://example.org/none', { fetch: serve })).rejects.toThrow(
      /none\/voxface.json must answer with a file, got status 404/,
    );
  });

  it('names missing, unexpected, misshapen and non-finite weights and writes nothing', async () => {
    const path = join(folder, 'broken');
    await saveModel(model, path);
    const file = join(path, 'estimator', 'model.json');
    const json = JSON.parse(await readFile(file, 'utf8'));
    const { weights } = json.weightsManifest[0];
    weights.find((w: { name: string }) => w.name === 'stem_conv/bias').name = 'stem_conv/offset';
    weights.find((w: { name: string }) => w.name === 'stem_conv/kernel').shape = [7, 7, 2, 3];
    await writeFile(file, JSON.stringify(json));
    await expect(loadModel(path)).rejects.toThrow(
      /stem_conv\/kernel is \[7, 7, 2, 3\] instead of \[7, 7, 3, 2\]; missing stem_conv\/bias \[2\]; unexpected stem_conv\/offset/,
    );
    // One damaged number of half precision: no checksum tells.
    await saveModel(model, path, { precision: 'float16' });
    const bytes = await readFile(join(path, 'estimator', 'weights.bin'));
    bytes.writeUInt16LE(0x7e00, 2 * (bytes.length >> 2));
    await writeFile(join(path, 'estimator', 'weights.bin'), bytes);
    await expect(loadModel(path)).rejects.toThrow(
      /weights must be finite, got others in .*is the file damaged/,
    );
    await expect(loadModel(join(folder, 'nowhere'))).rejects.toThrow(/cannot read .*nowhere.voxface.json/);
  });
});

describe('models from elsewhere', () => {
  it('takes a .voxface file as ArrayBuffer and behind blob: and data: addresses', async () => {
    const bytes = (await encodeModelFile(model)) as Uint8Array<ArrayBuffer>;
    const blob = URL.createObjectURL(new Blob([bytes]));
    const data = `data:application/octet-stream;base64,${Buffer.from(bytes).toString('base64')}`;
    const loaded = [
      decodeModelFile(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)),
      await loadModelFromUrl(blob),
      await loadModelFromUrl(data),
    ];
    for (const one of loaded) {
      expect(predict(one)).toEqual(predict(model));
      one.dispose();
    }
    URL.revokeObjectURL(blob);
  });

  it('names what was passed instead of a model, and what could not be fetched', async () => {
    for (const wrong of [undefined, null, 'model', {}, new Blob([])]) {
      expect(() => decodeModelFile(wrong as never)).toThrow(/^decodeModelFile: expected the bytes/);
    }
    await expect(loadModelFromUrl('http://127.0.0.1:9/m/')).rejects.toThrow(
      /^loadModelFromUrl: http:\/\/127.0.0.1:9\/m\/voxface.json must answer .* no answer: \w/,
    );
    await expect(loadModelFromUrl('models/small')).rejects.toThrow(/got 'models\/small'.*loadModel of/);
    await expect(loadModelFromUrl(undefined as never)).rejects.toThrow(
      /expected an address .* got undefined/,
    );
    await expect(loadModelFromUrl(new URL('file:///m/'))).rejects.toThrow(/no file: address.*loadModel of/);
    for (const wrong of [undefined, null, 7, {}]) {
      await expect(loadModel(wrong as never)).rejects.toThrow(/^loadModel: expected a path/);
    }
  });

  it('asks for nothing outside the given folder, whatever its files say', async () => {
    const path = join(folder, 'bent');
    await saveModel(model, path);
    const manifest = JSON.parse(await readFile(join(path, 'voxface.json'), 'utf8'));
    const modelJson = JSON.parse(await readFile(join(path, 'estimator/model.json'), 'utf8'));
    const asked: string[] = [];
    const outside = [
      'http://10.0.0.1/x',
      '//10.0.0.1/x',
      '/etc',
      '../other',
      'a/../../b',
      '%2e%2e/b',
      '\\\\h\\x',
      '',
    ];
    for (const name of outside) {
      for (const isNetwork of [true, false]) {
        const files: Record<string, object> = {
          'voxface.json': isNetwork
            ? { ...manifest, networks: { ...manifest.networks, estimator: name } }
            : manifest,
          'estimator/model.json': isNetwork
            ? modelJson
            : { ...modelJson, weightsManifest: [{ ...modelJson.weightsManifest[0], paths: [name] }] },
        };
        const serve = (async (url: string) => {
          asked.push(url);
          const file = url.replace('https://example.org/m/', '');
          return new Response(files[file] ? JSON.stringify(files[file]) : await readFile(join(path, file)));
        }) as typeof fetch;
        await expect(
          loadModelFromUrl('https://example.org/m/', { fetch: serve }),
          `${name} ${isNetwork}`,
        ).rejects.toThrow(/loadModel: names must stay inside the folder/);
        const copy = join(folder, 'bent-copy');
        await saveModel(model, copy);
        for (const [file, json] of Object.entries(files))
          await writeFile(join(copy, file), JSON.stringify(json));
        await expect(loadModel(copy)).rejects.toThrow(/loadModel: names must stay inside the folder/);
      }
    }
    expect(asked.filter((url) => !url.startsWith('https://example.org/m/'))).toEqual([]);
  });

  it.each(['float32', 'float16', 'uint8'] as const)(
    'refuses %s weights that are no numbers',
    async (precision) => {
      const path = join(folder, `damaged-${precision}`);
      await saveModel(model, path, { precision });
      if (precision === 'uint8') {
        const file = join(path, 'regressor/model.json');
        const json = await readFile(file, 'utf8');
        await writeFile(file, json.replace(/("quantization":.*?"scale":)[\d.e-]+/, '$11e999'));
      } else {
        const file = join(path, 'regressor/weights.bin');
        const bytes = await readFile(file);
        bytes.set(precision === 'float32' ? [0, 0, 0xc0, 0x7f] : [0, 0x7e], 0);
        await writeFile(file, bytes);
      }
      await expect(loadModel(path)).rejects.toThrow(/weights must be finite.*damaged/);
    },
  );
});

describe('toHalf', () => {
  it('rounds ties to even, keeps subnormals, zeros and infinities', () => {
    const values = [1, -2, 65504, 65520, 2 ** -24, 2 ** -25, 1 + 2 ** -11, 1 + 3 * 2 ** -11, 0, -0, Infinity];
    expect(Array.from(toHalf(Float32Array.from(values)))).toEqual([
      0x3c00, 0xc000, 0x7bff, 0x7c00, 1, 0, 0x3c00, 0x3c02, 0, 0x8000, 0x7c00,
    ]);
  });
});

describe('saveModel over an older model', () => {
  it('changes nothing when it is cut off before its end, and is whole when it is cut off while files move', async () => {
    const path = join(folder, 'over');
    const other = createFaceShapeModel({ ...PRESETS.tiny, seed: 4 });
    const whole = join(folder, 'over-whole');
    await saveModel(other, whole);
    const load = async (): Promise<Float32Array> => {
      const loaded = await loadModel(path);
      const points = predict(loaded);
      loaded.dispose();
      return points;
    };
    const [before, after] = [predict(model), predict(other)];
    expect(before).not.toEqual(after);
    const files = [
      'estimator/weights.bin',
      'estimator/model.json',
      'regressor/weights.bin',
      'regressor/model.json',
    ];
    await saveModel(model, path);
    // Cut off while it writes.
    await cp(join(whole, 'estimator'), join(path, '.saving/estimator'), { recursive: true });
    expect(await load()).toEqual(before);
    // Cut off after it has written all and moved the first n files.
    for (let moved = 0; moved <= files.length; moved++) {
      await rm(path, { recursive: true });
      await saveModel(model, path);
      await cp(whole, join(path, '.saved'), { recursive: true });
      for (const file of files.slice(0, moved)) await rename(join(path, '.saved', file), join(path, file));
      expect(await load()).toEqual(after);
    }
    // The next save finishes it, and nothing is left beside the model.
    await saveModel(model, path);
    expect(await load()).toEqual(before);
    expect((await readdir(path)).sort()).toEqual(['estimator', 'regressor', 'voxface.json']);
    other.dispose();
  });
});
