import type { GraphBuilder } from '../graph/graph-builder.ts';
import type { Axis, GraphValue } from '../graph/value.ts';
import type { LayerCall, LayerWeight } from './layer-call.ts';

/** A 3D convolution seen as a planar one over slices. */
export interface SliceConvolution {
  readonly call: LayerCall;
  readonly channelAxis: number;
  /** The source axis that is taken apart, and the two that stay. */
  readonly outer: number;
  readonly plane: readonly number[];
  /** Kernel [out, taps, in, k, k]. */
  readonly kernel: LayerWeight;
  readonly stride: number;
  /** Slices of zeros before and after. */
  readonly before: number;
  readonly after: number;
  /** Output slices. */
  readonly count: number;
  /** Attributes of the planar convolution. */
  readonly attributes: Readonly<Record<string, number | readonly number[]>>;
}

/** Batch, slices, channels, then the plane. */
export function sliceOrder({ channelAxis, outer, plane }: SliceConvolution, { axes }: GraphValue): Axis[] {
  return [axes[0], axes[outer], axes[channelAxis], ...plane.map((axis) => axes[axis])];
}

/** Slices of zeros around [b, slices, c, ...]. */
export function padSlices(
  builder: GraphBuilder,
  slices: string,
  before: number,
  after: number,
  hint: string,
): string {
  const pads = builder.integers([0, before, 0, 0, 0, 0, after, 0, 0, 0]);
  return builder.node('Pad', [slices, pads], `${hint}_padded`, { mode: 'constant' });
}

/** [b, slices, ...] -> [b, places / taps, taps, ...] */
export function gatherWindows(
  builder: GraphBuilder,
  slices: string,
  places: readonly number[],
  taps: number,
  hint: string,
): string {
  const indices = builder.integers(places, [places.length / taps, taps]);
  return builder.node('Gather', [slices, indices], `${hint}_windows`, { axis: 1 });
}

/** [b, n, taps, c, h, w] -> [b n, out, h', w'] */
export function convolveWindows(
  { call, attributes }: SliceConvolution,
  windows: string,
  part: {
    readonly kernel: LayerWeight;
    readonly channels: number;
    readonly planes: readonly number[];
    readonly bias: LayerWeight | undefined;
  },
  hint: string,
): string {
  const { builder } = call;
  const [outputs, taps, channels, ...size] = part.kernel.shape;
  const shape = builder.integers([-1, taps * channels, ...part.planes]);
  const image = builder.node('Reshape', [windows, shape], `${hint}_slices`);
  const dims = [outputs, taps * channels, ...size];
  const names = [image, builder.floats(`${hint}_kernel`, dims, part.kernel.data)];
  if (part.bias !== undefined) names.push(builder.floats(`${hint}_bias`, part.bias.shape, part.bias.data));
  return builder.node('Conv', names, hint, attributes as Record<string, number | number[]>);
}
