import type { GraphBuilder } from '../graph/graph-builder.ts';
import type { GraphValue } from '../graph/value.ts';

/** A weight of a layer as numbers. */
export interface LayerWeight {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** One use of a layer: what a converter gets. */
export interface LayerCall {
  readonly builder: GraphBuilder;
  /** Name of the layer; names of nodes and constants begin with it. */
  readonly name: string;
  readonly className: string;
  /** The layer's configuration as tfjs-layers writes it. */
  // biome-ignore lint/suspicious/noExplicitAny: the configuration of any layer
  readonly config: any;
  readonly inputs: readonly GraphValue[];
  /** In the order of `layer.getWeights()`. */
  readonly weights: readonly LayerWeight[];
}

/** Writes the nodes of one layer and says what comes out. */
export type LayerConverter = (call: LayerCall) => GraphValue;

/** Refuses a setting that has no converter. */
export function unsupported(call: LayerCall, what: string): never {
  throw new RangeError(
    `exportNetwork: ${what} of layer '${call.name}' (${call.className}) has no ONNX form here (replace the layer before the export)`,
  );
}

/** The channel axis of a value by the layer's `dataFormat`. */
export function channelAxisOf(call: LayerCall, rank: number): number {
  return call.config.dataFormat === 'channelsFirst' ? 1 : rank - 1;
}

/** A number or a list as a list of `count` numbers. */
export function toList(value: number | readonly number[], count: number): number[] {
  return typeof value === 'number' ? Array.from({ length: count }, () => value) : [...value];
}

/** A setting per source axis, in the order of `spatial`. */
export function pickSettings(setting: number | readonly number[], spatial: readonly number[]): number[] {
  const list = toList(setting, spatial.length);
  const natural = spatial.toSorted((a, b) => a - b);
  return spatial.map((axis) => list[natural.indexOf(axis)]);
}

/**
 * Reorders the axes of a row-major array: axis i of the result is axis perm[i] of the source.
 * @returns the numbers and their new shape.
 */
export function transposeWeights(
  data: Float32Array,
  shape: readonly number[],
  perm: readonly number[],
): { data: Float32Array; shape: number[] } {
  const strides = shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1));
  const outShape = perm.map((axis) => shape[axis]);
  const outStrides = perm.map((axis) => strides[axis]);
  const out = new Float32Array(data.length);
  const index = new Array<number>(perm.length).fill(0);
  let from = 0;
  for (let i = 0; i < out.length; i++) {
    out[i] = data[from];
    for (let axis = perm.length - 1; axis >= 0; axis--) {
      from += outStrides[axis];
      if (++index[axis] < outShape[axis]) break;
      from -= outStrides[axis] * outShape[axis];
      index[axis] = 0;
    }
  }
  return { data: out, shape: outShape };
}

/** A sliding window, one entry per spatial axis in the order of memory. */
export interface WindowShape {
  readonly sizes: readonly number[];
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
}

/**
 * Padding of TensorFlow as ONNX writes it, and the sizes that come out. 'same' puts the odd pixel at the end.
 */
export function windowOf(
  call: LayerCall,
  { sizes, kernel, strides, dilations }: WindowShape,
): { attributes: Record<string, number[]>; outSizes: number[] } {
  const padding: string = call.config.padding ?? 'valid';
  const reach = kernel.map((k, i) => (k - 1) * dilations[i] + 1);
  const total = sizes.map((size, i) => {
    if (padding === 'valid') return 0;
    if (padding !== 'same') unsupported(call, `padding '${padding}'`);
    return Math.max(0, (Math.ceil(size / strides[i]) - 1) * strides[i] + reach[i] - size);
  });
  const before = total.map((t) => Math.floor(t / 2));
  const outSizes = sizes.map((size, i) => Math.floor((size + total[i] - reach[i]) / strides[i]) + 1);
  const attributes: Record<string, number[]> = {
    kernel_shape: [...kernel],
    strides: [...strides],
    pads: [...before, ...total.map((t, i) => t - before[i])],
  };
  if (dilations.some((d) => d !== 1)) attributes.dilations = [...dilations];
  return { attributes, outSizes };
}
