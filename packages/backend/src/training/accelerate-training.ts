import {
  customGrad,
  engine,
  getBackend,
  getKernel,
  leakyRelu,
  mul,
  relu,
  reshape,
  step,
  type Tensor,
  type Tensor1D,
  type Tensor4D,
  type Tensor5D,
  tidy,
} from '@tensorflow/tfjs-core';
import type { layers } from '@tensorflow/tfjs-layers';
import { isNative, runNative } from '../native/run-native.ts';
import { normalizeBatch } from '../operations/batch-normalize.ts';
import { convolveRepeated, type VolumePart } from './convolve-repeated.ts';

type Layer = layers.Layer;
type Call = Layer['call'];

/** Fields of tfjs-layers' batch normalisation, stable in TensorFlow.js 4.x. */
interface NormalizationFields {
  readonly epsilon: number;
  readonly momentum: number;
  readonly gamma: { read(): Tensor1D };
  readonly beta: { read(): Tensor1D };
  readonly movingMean: Statistic;
  readonly movingVariance: Statistic;
}

interface Statistic {
  read(): Tensor1D;
  write(value: Tensor): unknown;
}

/** Fields of tfjs-layers' 3D convolution, stable in TensorFlow.js 4.x. */
interface ConvolutionFields {
  readonly kernel: { read(): Tensor5D };
  readonly bias: { read(): Tensor1D } | null;
}

/** Configuration of a 3D convolution, as far as it decides whether `convolveRepeated` can stand in for it. */
interface ConvolutionConfig {
  readonly strides: number[];
  readonly padding: 'same' | 'valid';
  readonly dataFormat: string;
  readonly dilationRate: number[];
  readonly activation: string;
}

/**
 * Replaces the training pass of batch normalisation and ReLU layers by faster operations with the same values, and that of 3D
 * convolutions where a plane is repeated along depth and joined to their input.
 * Prediction, configuration and weights of the layers stay as they are; calling it again changes nothing.
 */
export function accelerateTraining(network: { readonly layers: readonly Layer[] }): void {
  for (const layer of network.layers) {
    const nested = (layer as unknown as { layers?: Layer[] }).layers;
    if (nested !== undefined) accelerateTraining({ layers: nested });
    const call = fasterCall(layer);
    if (call === undefined || accelerated.has(layer)) continue;
    accelerated.add(layer);
    const original = layer.call.bind(layer);
    layer.call = (inputs, kwargs) => (kwargs?.training ? call(inputs, kwargs) : original(inputs, kwargs));
  }
}

const accelerated = new WeakSet<Layer>();

function fasterCall(layer: Layer): Call | undefined {
  switch (layer.getClassName()) {
    case 'BatchNormalization':
      return (inputs) =>
        trainNormalization(layer as unknown as NormalizationFields, single(inputs) as Tensor4D);
    case 'ReLU':
      return (inputs) => rectify(single(inputs));
    case 'LeakyReLU':
      return leakyRectifier(layer);
    case 'UpSampling2D':
      return noting(layer, (inputs, output) => {
        if (inputs[0].shape[1] === output.shape[1] && inputs[0].shape[2] === 1)
          repeated.set(output, inputs[0] as Tensor4D);
      });
    case 'Reshape':
      return noting(layer, ([x], output) => noteVolume(x, output));
    case 'Concatenate':
      return noting(layer, (inputs, output) => {
        if (output.rank === 5 && inputs.some((part) => repeated.has(part))) joined.set(output, inputs);
      });
    case 'Conv3D':
      return convolution(layer);
    default:
      return undefined;
  }
}

/** Planes that were repeated along an axis, by the result: [b, h * w, 1, c], and [b, h, w, c] for one along depth. */
const repeated = new WeakMap<Tensor, Tensor4D>();
/** What volumes were joined of, where a part repeats a plane. */
const joined = new WeakMap<Tensor, readonly Tensor[]>();

/** The layer as it is, with a look at what came out. */
function noting(layer: Layer, note: (inputs: Tensor[], output: Tensor) => void): Call {
  const original = layer.call.bind(layer);
  return (inputs, kwargs) => {
    const output = original(inputs, kwargs);
    note(Array.isArray(inputs) ? inputs : [inputs], single(output));
    return output;
  };
}

/** [b, h * w, d, c] that repeats a plane, seen as [b, h, w, d, c], still does. */
function noteVolume(x: Tensor, output: Tensor): void {
  const plane = repeated.get(x);
  const [b, height, width, depth, channels] = output.shape;
  if (plane === undefined || output.rank !== 5 || x.shape[2] !== depth || x.shape[3] !== channels) return;
  repeated.set(output, reshape(plane, [b, height, width, channels]));
}

/** A 3D convolution that looks at what its input was joined of; the joined volume itself is then not read by anything. */
function convolution(layer: Layer): Call | undefined {
  const { strides, padding, dataFormat, dilationRate, activation } =
    layer.getConfig() as unknown as ConvolutionConfig;
  const isPlain =
    dataFormat === 'channelsLast' &&
    activation === 'linear' &&
    new Set(strides).size === 1 &&
    dilationRate.every((rate) => rate === 1);
  if (!isPlain) return undefined;
  const original = layer.call.bind(layer);
  return (inputs, kwargs) => {
    const x = single(inputs);
    const tensors = joined.get(x);
    if (tensors === undefined) return original(inputs, kwargs);
    const parts = tensors.map((tensor): VolumePart => {
      const plane = repeated.get(tensor);
      return plane === undefined ? { volume: tensor as Tensor5D } : { plane };
    });
    if (!parts.some((part) => 'volume' in part)) return original(inputs, kwargs);
    const { kernel, bias } = layer as unknown as ConvolutionFields;
    return convolveRepeated(parts, x.shape[3]!, kernel.read(), bias?.read(), strides[0], padding);
  };
}

function trainNormalization(layer: NormalizationFields, x: Tensor4D): Tensor {
  return tidy(() => {
    const { gamma, beta, epsilon, movingMean, movingVariance, momentum } = layer;
    const running = { mean: movingMean.read(), variance: movingVariance.read(), momentum };
    const { output, mean, variance } = normalizeBatch(x, gamma.read(), beta.read(), epsilon, running);
    movingMean.write(mean);
    movingVariance.write(variance);
    return output;
  });
}

function single(inputs: Tensor | Tensor[]): Tensor {
  return Array.isArray(inputs) ? inputs[0] : inputs;
}

/** Leaky ReLU whose gradient is one kernel where the backend has one. */
function leakyRectifier(layer: Layer): Call {
  const original = layer.call.bind(layer);
  const { alpha } = layer.getConfig() as { alpha: number };
  return (inputs, kwargs) => {
    const backend = getBackend();
    if (!(alpha > 0) || !getKernel('LeakyReluGrad', backend)) return original(inputs, kwargs);
    const operation = customGrad((...args: unknown[]) => {
      const value = leakyRelu(args[0] as Tensor, alpha);
      (args[1] as (tensors: Tensor[]) => void)([value]);
      const gradFunc = (dy: Tensor, [y]: Tensor[]): Tensor =>
        engine().runKernel('LeakyReluGrad', { dy, y }, { alpha }) as Tensor;
      return { value, gradFunc };
    });
    return operation(single(inputs));
  };
}

/** ReLU whose gradient is one kernel on wasm, on the native backend and on WebGPU (TensorFlow.js composes it of six). Any shape. */
export function rectify(x: Tensor): Tensor {
  const operation = customGrad((...args: unknown[]) => {
    const value = relu(x);
    (args[1] as (tensors: Tensor[]) => void)([value]);
    const gradFunc = (dy: Tensor, [output]: Tensor[]): Tensor => {
      if (isNative()) return runNative('ReluGrad', [dy, output], 1, ['T'])[0];
      if (getKernel('ReluGrad', getBackend()))
        return engine().runKernel('ReluGrad', { dy, y: output }) as Tensor;
      return mul(dy, step(output));
    };
    return { value, gradFunc };
  });
  return operation(x);
}
