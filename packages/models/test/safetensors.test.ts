import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { createFaceShapeModel, encodeSafetensors, PRESETS } from '../src/index.ts';
import { type RawTensor, writeSafetensors } from '../src/weights/safetensors.ts';
import golden from './golden/safetensors.json' with { type: 'json' };

describe('safetensors', () => {
  it('are the bytes that the reference implementation writes', () => {
    const tensors = golden.tensors.map(({ bytes, ...tensor }) => ({
      ...tensor,
      bytes: new Uint8Array(Buffer.from(bytes, 'base64')),
    })) as RawTensor[];
    const file = writeSafetensors(tensors, { format: 'tf' });
    expect(Buffer.from(file).toString('base64')).toBe(golden.file);
    expect(() => writeSafetensors([...tensors, tensors[0]])).toThrow(/unique, got estimator\/b twice/);
  });

  it.each(['float32', 'float16'] as const)('hold every weight of both networks, %s', async (precision) => {
    await tf.setBackend('cpu');
    const model = createFaceShapeModel({ ...PRESETS.tiny, seed: 3 });
    const file = await encodeSafetensors(model, { precision });
    const length = Number(new DataView(file.buffer).getBigUint64(0, true));
    const { __metadata__, ...header } = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length)));
    expect([length % 8, __metadata__.format]).toEqual([0, 'tf']);
    expect(JSON.parse(__metadata__.voxface)).toMatchObject({
      format: 'voxface-model',
      options: model.options,
    });
    const bytes = precision === 'float32' ? 4 : 2;
    for (const network of ['estimator', 'regressor'] as const) {
      for (const weight of model[network].weights) {
        const name = `${network}/${weight.originalName}`;
        const { shape, data_offsets, dtype } = header[name];
        expect([dtype, shape]).toEqual([precision === 'float32' ? 'F32' : 'F16', weight.shape]);
        const values = weight.read().dataSync();
        expect(data_offsets[1] - data_offsets[0]).toBe(bytes * values.length);
        if (precision === 'float32') {
          const from = 8 + length + data_offsets[0];
          expect(new Float32Array(file.slice(from, from + 4 * values.length).buffer)).toEqual(values);
        }
        delete header[name];
      }
    }
    expect(Object.keys(header)).toEqual([]);
    model.dispose();
  });
});
