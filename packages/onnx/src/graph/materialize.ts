import type { GraphBuilder } from './graph-builder.ts';
import { type Atom, type Axis, axisSize, type GraphValue } from './value.ts';

/**
 * Moves a value's data so that its ONNX dimensions become `wanted`; does nothing where they are already. At most
 * one transposition of the fewest possible blocks, then the repetition of stretched atoms.
 * @param wanted every atom of the value's axes exactly once.
 */
export function materialize(builder: GraphBuilder, value: GraphValue, wanted: readonly Axis[]): GraphValue {
  const present = new Set(value.dims.flat());
  const real = wanted.flat().filter((atom) => present.has(atom));
  let stored: StoredTensor = transpose(builder, value, real);
  if (real.length !== wanted.flat().length) {
    const atoms = wanted.flat();
    stored = reshape(
      builder,
      stored,
      atoms.map((atom) => (present.has(atom) ? [atom] : [])),
    );
    const shape = builder.integers(atoms.map((atom) => atom.size ?? 1));
    const name = move(builder, 'Expand', [stored.name, shape], `${value.name}_stretched`);
    stored = { name, dims: atoms.map((atom) => [atom]) };
  }
  return { ...reshape(builder, stored, wanted), axes: value.axes };
}

/** A tensor and its dimensions. */
interface StoredTensor {
  readonly name: string;
  readonly dims: readonly Axis[];
}

/** Brings the atoms of the tensor into another order, as few blocks as there can be. */
function transpose(builder: GraphBuilder, value: GraphValue, order: readonly Atom[]): StoredTensor {
  const flat = value.dims.flat();
  if (flat.every((atom, i) => atom === order[i])) return value;
  const blocks = wholeDimensions(value.dims, order) ?? commonRuns(flat, order);
  const current = blocks.toSorted((a, b) => flat.indexOf(a[0]) - flat.indexOf(b[0]));
  const { name } = reshape(builder, value, current);
  const perm = blocks.map((block) => current.indexOf(block));
  return { name: move(builder, 'Transpose', [name], `${value.name}_moved`, perm), dims: blocks };
}

/** The dimensions as they are, in the new order, or null where the new order takes one apart or one is of size 1. */
function wholeDimensions(dims: readonly Axis[], order: readonly Atom[]): Axis[] | null {
  if (dims.some((axis) => axis.length === 0)) return null;
  const ordered = dims.toSorted((a, b) => order.indexOf(a[0]) - order.indexOf(b[0]));
  return ordered.flat().every((atom, i) => atom === order[i]) ? ordered : null;
}

/** Runs of atoms that are neighbours in both orders, in the order of the second. */
function commonRuns(from: readonly Atom[], to: readonly Atom[]): Atom[][] {
  const runs: Atom[][] = [];
  for (const atom of to) {
    const run = runs.at(-1);
    // The batch stays a block of its own: its size is not known, and at most one size may be left open.
    const joins = run !== undefined && from.indexOf(run.at(-1)!) + 1 === from.indexOf(atom);
    if (joins && run.every((a) => a.size !== null) && atom.size !== null) run.push(atom);
    else runs.push([atom]);
  }
  return runs;
}

function reshape(builder: GraphBuilder, stored: StoredTensor, dims: readonly Axis[]): StoredTensor {
  if (sameDims(stored.dims, dims)) return stored;
  const sizes = builder.integers(dims.map(axisSize));
  return { name: move(builder, 'Reshape', [stored.name, sizes], `${stored.name}_shaped`), dims };
}

function move(
  builder: GraphBuilder,
  type: string,
  inputs: readonly string[],
  hint: string,
  perm?: readonly number[],
): string {
  const key = [type, ...inputs, perm?.join(' ') ?? ''].join('|');
  const known = builder.moved.get(key);
  if (known !== undefined) return known;
  const name = builder.node(type, inputs, hint, perm ? { perm } : {});
  builder.moved.set(key, name);
  return name;
}

function sameDims(a: readonly Axis[], b: readonly Axis[]): boolean {
  return (
    a.length === b.length &&
    a.every((axis, i) => axis.length === b[i].length && axis.every((atom, j) => atom === b[i][j]))
  );
}

/** The source axes as dimensions, in their order. */
export function toPlain(builder: GraphBuilder, value: GraphValue): GraphValue {
  return materialize(builder, value, value.axes);
}

/** Axes other than the batch and the channels, in the order in which they lie in memory; stretched ones first. */
export function spatialOrder(value: GraphValue, channelAxis: number): number[] {
  const flat = value.dims.flat();
  const position = (axis: number): number => {
    const places = value.axes[axis].map((atom) => flat.indexOf(atom)).filter((p) => p >= 0);
    return places.length === 0 ? -1 : Math.min(...places);
  };
  const spatial = value.axes.map((_, i) => i).filter((i) => i !== 0 && i !== channelAxis);
  const places = new Map(spatial.map((axis) => [axis, position(axis)]));
  return spatial.sort((a, b) => places.get(a)! - places.get(b)! || a - b);
}

/**
 * Channels-first dimensions: batch, channels, then the other axes in the order in which they lie in memory, so
 * that nothing moves needlessly. `spatial` tells which source axes those are.
 */
export function toChannelsFirst(
  builder: GraphBuilder,
  value: GraphValue,
  channelAxis: number,
): { value: GraphValue; spatial: number[] } {
  const spatial = spatialOrder(value, channelAxis);
  const wanted = [value.axes[0], value.axes[channelAxis], ...spatial.map((axis) => value.axes[axis])];
  return { value: materialize(builder, value, wanted), spatial };
}

/** Any dimensions whose second is the channel axis and that hold every number. */
export function toChannelsSecond(builder: GraphBuilder, value: GraphValue, channelAxis: number): GraphValue {
  const channels = value.axes[channelAxis];
  const second = value.dims[1];
  const there = second?.length === channels.length && channels.every((atom, i) => atom === second[i]);
  const whole = value.dims.flat().length === value.axes.flat().length;
  return there && whole ? value : toChannelsFirst(builder, value, channelAxis).value;
}

/**
 * Dimensions in which axis `axis` is a dimension of its own and everything else lies as it did: what operators
 * along one axis need.
 * @returns the value and the number of the dimension.
 */
export function isolateAxis(
  builder: GraphBuilder,
  value: GraphValue,
  axis: number,
): { value: GraphValue; dimension: number } {
  const own = new Set(value.axes[axis]);
  const dims: Atom[][] = [];
  let dimension = -1;
  for (const atom of value.dims.flat()) {
    if (own.has(atom)) {
      if (dimension < 0) dimension = dims.push([...value.axes[axis]]) - 1;
    } else {
      dims.push([atom]);
    }
  }
  const present = new Set(value.dims.flat());
  for (const other of value.axes.flat()) {
    if (!present.has(other) && !own.has(other)) dims.push([other]);
  }
  if (dimension < 0) dimension = dims.push([...value.axes[axis]]) - 1;
  return { value: materialize(builder, value, dims), dimension };
}
