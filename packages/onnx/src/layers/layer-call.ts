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
