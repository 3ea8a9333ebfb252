import '@tensorflow/tfjs-backend-cpu';
import { randomUniform, type Tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import * as ort from 'onnxruntime-node';
import protobuf from 'protobufjs/minimal.js';
import { type ExportNetworkOptions, exportNetwork } from '../src/export.ts';

/** Draws every weight; running variances stay positive. */
export function randomizeWeights(model: LayersModel, seed = 1): void {
  model.layers.forEach((layer, l) => {
    if ('layers' in layer) {
      randomizeWeights(layer as unknown as LayersModel, seed + 100 * l);
      return;
    }
    const variance = layer.getClassName() === 'BatchNormalization' ? layer.getWeights().length - 1 : -1;
    layer.setWeights(
      layer
        .getWeights()
        .map((w, i) =>
          randomUniform(
            w.shape,
            i === variance ? 0.5 : -0.6,
            i === variance ? 2 : 0.7,
            'float32',
            seed + l + i,
          ),
        ),
    );
  });
}

/** Largest difference between TensorFlow.js on cpu and onnxruntime-node over all outputs, and the shapes. */
export async function runBoth(
  model: LayersModel,
  batch = 2,
  options: ExportNetworkOptions = {},
): Promise<{ difference: number; shapes: number[][]; operators: string[] }> {
  const file = await exportNetwork(model, options);
  const session = await ort.InferenceSession.create(file, { intraOpNumThreads: 1 });
  const inputs = model.inputs.map((input, i) =>
    randomUniform([batch, ...(input.shape.slice(1) as number[])], -1, 1, 'float32', 7 + i),
  );
  const feeds = Object.fromEntries(
    inputs.map((x, i) => [
      model.inputNames[i],
      new ort.Tensor('float32', x.dataSync() as Float32Array, x.shape),
    ]),
  );
  const results = await session.run(feeds);
  const expected = [model.predict(inputs.length === 1 ? inputs[0] : inputs)].flat() as Tensor[];
  let difference = 0;
  const shapes = session.outputNames.map((name, i) => {
    const got = results[name];
    if (got.dims.join() !== expected[i].shape.join()) {
      throw new Error(`output ${name}: expected [${expected[i].shape}], got [${got.dims}]`);
    }
    const values = expected[i].dataSync();
    (got.data as Float32Array).forEach((v, k) => {
      if (!(Math.abs(v - values[k]) <= difference)) difference = Math.abs(v - values[k]);
    });
    return [...got.dims];
  });
  await session.release();
  return { difference, shapes, operators: operatorsOf(file) };
}

/** Types of the nodes of a file, in order: an independent reading of the fields that matter here. */
export function operatorsOf(file: Uint8Array): string[] {
  const types: string[] = [];
  walk(file, (field, bytes) => {
    if (field !== 7) return;
    walk(bytes, (inner, node) => {
      if (inner !== 1) return;
      walk(node, (part, text) => {
        if (part === 4) types.push(new TextDecoder().decode(text));
      });
    });
  });
  return types;
}

function walk(bytes: Uint8Array, visit: (field: number, bytes: Uint8Array) => void): void {
  const reader = protobuf.Reader.create(bytes);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if ((tag & 7) === 2) visit(tag >>> 3, reader.bytes());
    else reader.skipType(tag & 7);
  }
}
