import type { GraphBuilder } from '../graph/graph-builder.ts';
import { materialize } from '../graph/materialize.ts';
import { type Axis, axisSize, type GraphValue } from '../graph/value.ts';
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

/** A part of a convolution's input that is repeated along the outer axis. */
interface RepeatedPart {
  readonly value: GraphValue;
  readonly kernel: LayerWeight;
  /** Slices that the part really has, and how often each is repeated. */
  readonly slices: number;
  readonly times: number;
}

/** Splitting pays when at least this share of the channels is repeated. */
const LEAST_REPEATED = 2 / 3;

/**
 * Sorts the joined inputs of a convolution into those that vary along the outer axis and those that are repeated
 * along it (coarse volumes, the image), each with its share of the kernel. Null where splitting does not pay.
 */
export function splitParts(
  { channelAxis, outer, kernel }: SliceConvolution,
  joined: readonly GraphValue[] | undefined,
): { varying: GraphValue[]; kernel: LayerWeight; repeated: RepeatedPart[] } | null {
  if (joined === undefined) return null;
  const varying: GraphValue[] = [];
  const own: number[] = [];
  const repeated: RepeatedPart[] = [];
  let start = 0;
  for (const value of joined) {
    const count = axisSize(value.axes[channelAxis]);
    const channels = Array.from({ length: count }, (_, i) => start + i);
    start += count;
    const stretch = stretchOf(value, value.axes[outer]);
    if (stretch === null) {
      varying.push(value);
      own.push(...channels);
    } else {
      repeated.push({ value, kernel: pickChannels(kernel, channels), ...stretch });
    }
  }
  if (varying.length === 0 || start - own.length < LEAST_REPEATED * start) return null;
  return { varying, kernel: pickChannels(kernel, own), repeated };
}

/** Slices and repetitions of an axis whose slower atoms are there and whose faster ones are stretched. */
function stretchOf(value: GraphValue, axis: Axis): { slices: number; times: number } | null {
  const present = new Set(value.dims.flat());
  const there = axis.filter((atom) => present.has(atom));
  const ordered = axis.slice(0, there.length).every((atom, i) => atom === there[i]);
  if (!ordered || there.length === axis.length) return null;
  const slices = axisSize(there);
  return { slices, times: axisSize(axis) / slices };
}

/** Some input channels of a kernel [out, taps, in, k, k]. */
function pickChannels({ data, shape }: LayerWeight, channels: readonly number[]): LayerWeight {
  const [outputs, taps, inputs, height, width] = shape;
  const area = height * width;
  const picked = new Float32Array(outputs * taps * channels.length * area);
  for (let row = 0; row < outputs * taps; row++) {
    channels.forEach((channel, i) => {
      const from = (row * inputs + channel) * area;
      picked.set(data.subarray(from, from + area), (row * channels.length + i) * area);
    });
  }
  return { data: picked, shape: [outputs, taps, channels.length, height, width] };
}

/**
 * Adds what repeated parts contribute. Under the kernel, a part of few slices shows only few different windows: at
 * the borders of its blocks and inside them. Each is convolved once, parts of fewer windows are spread over those
 * of more, and their sum is spread over all output slices. A convolution is linear, so this is exact up to rounding.
 * @param moving the convolution of the other parts, [b count, out, h, w].
 */
export function addRepeatedParts(
  convolution: SliceConvolution,
  parts: readonly RepeatedPart[],
  moving: string,
  size: readonly number[],
): string {
  const { builder, name } = convolution.call;
  const outputs = convolution.kernel.shape[0];
  const maps = parts.map((part) => windowsOf(convolution, part));
  const order = parts.map((_, i) => i).sort((a, b) => maps[b].distinct.length - maps[a].distinct.length);
  const spread = new Spreader(builder, outputs, size);
  const sums: { name: string; map: readonly number[]; windows: number }[] = [];
  for (const i of order) {
    const { distinct, map } = maps[i];
    const hint = `${name}_part${i + 1}`;
    const own = convolveDistinct(convolution, parts[i], distinct, hint);
    const home = sums.find((sum) => projection(sum.map, map, sum.windows) !== null);
    if (home === undefined) {
      sums.push({ name: own, map, windows: distinct.length });
      continue;
    }
    const places = projection(home.map, map, home.windows)!;
    home.name = spread.add(home.name, spread.spread(own, distinct.length, places, hint), hint);
  }
  return sums.reduce(
    (total, { name: sum, map, windows }, i) =>
      spread.add(total, spread.spread(sum, windows, map, `${name}_sum${i + 1}`), `${name}_all${i + 1}`),
    moving,
  );
}

/** The different windows of a part, as slices under each tap (`slices` is a slice of zeros), and which is where. */
function windowsOf(
  { count, stride, before, kernel }: SliceConvolution,
  { slices, times }: RepeatedPart,
): { distinct: number[][]; map: number[] } {
  const distinct: number[][] = [];
  const known = new Map<string, number>();
  const map = Array.from({ length: count }, (_, place) => {
    const window = Array.from({ length: kernel.shape[1] }, (_, tap) => {
      const z = place * stride + tap - before;
      return z < 0 || z >= slices * times ? slices : Math.floor(z / times);
    });
    const key = window.join();
    if (!known.has(key)) known.set(key, distinct.push(window) - 1);
    return known.get(key)!;
  });
  return { distinct, map };
}

function convolveDistinct(
  convolution: SliceConvolution,
  { value, kernel, slices }: RepeatedPart,
  distinct: readonly (readonly number[])[],
  hint: string,
): string {
  const { call, channelAxis, outer, plane } = convolution;
  const { builder } = call;
  const present = new Set(value.dims.flat());
  const axes = value.axes.map((axis, i) => (i === outer ? axis.filter((atom) => present.has(atom)) : axis));
  const unstretched = { ...value, axes };
  const stored = materialize(builder, unstretched, sliceOrder(convolution, unstretched));
  const places = distinct.flat();
  const padded = places.includes(slices) ? padSlices(builder, stored.name, 0, 1, hint) : stored.name;
  const windows = gatherWindows(builder, padded, places, kernel.shape[1], hint);
  const planes = plane.map((axis) => axisSize(value.axes[axis]));
  const channels = axisSize(value.axes[channelAxis]);
  return convolveWindows(convolution, windows, { kernel, channels, planes, bias: undefined }, hint);
}

/** For each window of the finer map the window of the coarser one, or null where one would need several. */
function projection(finer: readonly number[], coarser: readonly number[], windows: number): number[] | null {
  const places = new Array<number>(windows).fill(-1);
  for (const [place, window] of finer.entries()) {
    if (places[window] >= 0 && places[window] !== coarser[place]) return null;
    places[window] = coarser[place];
  }
  return places;
}

/** Repeats planes [b n, out, h, w] and adds them, so that later passes know that channels stay channels. */
class Spreader {
  readonly #builder: GraphBuilder;
  readonly #shape: readonly number[];

  constructor(builder: GraphBuilder, outputs: number, size: readonly number[]) {
    this.#builder = builder;
    this.#shape = [outputs, ...size];
  }

  spread(name: string, windows: number, places: readonly number[], hint: string): string {
    if (places.length === windows && places.every((place, i) => place === i)) return name;
    const shape = (count: number[]): string => this.#builder.integers([-1, ...count, ...this.#shape]);
    const apart = this.#node('Reshape', [name, shape([windows])], `${hint}_apart`);
    const indices = this.#builder.integers(places);
    const gathered = this.#node('Gather', [apart, indices], `${hint}_spread`, { axis: 1 });
    return this.#node('Reshape', [gathered, shape([])], `${hint}_planes`);
  }

  add(a: string, b: string, hint: string): string {
    return this.#node('Add', [a, b], `${hint}_added`);
  }

  #node(type: string, inputs: readonly string[], hint: string, attributes: { axis?: number } = {}): string {
    const name = this.#builder.node(type, inputs, hint, attributes as Record<string, number>);
    this.#builder.channelwise.add(name);
    return name;
  }
}
