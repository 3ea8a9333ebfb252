/**
 * A factor of an axis; the product of an axis's atoms, slowest first, is its size. Atoms are compared by
 * identity. `size` is null for the batch, which is known only when the model runs.
 */
export interface Atom {
  readonly size: number | null;
}

/** Atoms read as one number, slowest first; none at all means size 1. */
export type Axis = readonly Atom[];

/**
 * A tensor of the ONNX graph and how the tensor of the source network lies in it. The source network is
 * channels-last; ONNX Runtime is fast channels-first. Instead of moving data at every reshape, the graph keeps
 * track of where each factor of each source axis is, and moves data only where an operator asks for it.
 */
export interface GraphValue {
  /** Name of the ONNX tensor. */
  readonly name: string;
  /** Dimensions of the ONNX tensor. */
  readonly dims: readonly Axis[];
  /** Axes of the source tensor; atoms that no dimension has are repeated along (nearest-neighbour stretching). */
  readonly axes: readonly Axis[];
}

/** Product of the atoms; -1 when the batch is among them. */
export function axisSize(axis: Axis): number {
  let size = 1;
  for (const atom of axis) {
    if (atom.size === null) return -1;
    size *= atom.size;
  }
  return size;
}

/** Sizes of the source axes, -1 for the batch. */
export function valueShape(value: GraphValue): number[] {
  return value.axes.map(axisSize);
}

/** A fresh axis of one atom; no atom for size 1. */
export function createAxis(size: number | null): Axis {
  return size === 1 ? [] : [{ size }];
}

/** A value whose ONNX tensor has the source axes as dimensions, in their order. */
export function plainValue(name: string, axes: readonly Axis[]): GraphValue {
  return { name, dims: axes, axes };
}

/** The same placement under another name: the result of an elementwise operation. */
export function renamed(value: GraphValue, name: string): GraphValue {
  return { ...value, name };
}

/** Cuts one atom into two factors wherever it occurs; the ONNX tensor stays as it is. */
export function splitAtom(value: GraphValue, atom: Atom, parts: readonly Atom[]): GraphValue {
  const replace = (axis: Axis): Axis => axis.flatMap((a) => (a === atom ? parts : [a]));
  return { name: value.name, dims: value.dims.map(replace), axes: value.axes.map(replace) };
}

/**
 * The value with other source axes over the same numbers in the same order, or null where a new axis would cut
 * across an old one so that no factors exist.
 * @param sizes new axes after the batch.
 */
export function reshapeValue(value: GraphValue, sizes: readonly number[]): GraphValue | null {
  let current = value;
  const rest: Atom[] = value.axes.slice(1).flat();
  const axes: Axis[] = [value.axes[0]];
  for (const size of sizes) {
    const axis: Atom[] = [];
    let left = size;
    while (left > 1) {
      const atom = rest.shift();
      if (atom === undefined || atom.size === null) return null;
      if (left % atom.size === 0) {
        axis.push(atom);
        left /= atom.size;
      } else if (atom.size % left === 0) {
        const parts = [{ size: left }, { size: atom.size / left }];
        current = splitAtom(current, atom, parts);
        for (let i = 0; i < axes.length; i++) axes[i] = axes[i].flatMap((a) => (a === atom ? parts : [a]));
        axis.push(parts[0]);
        rest.unshift(parts[1]);
        left = 1;
      } else {
        return null;
      }
    }
    axes.push(axis);
  }
  return rest.length === 0 ? { ...current, axes } : null;
}

/**
 * Cuts the atoms of two values of one shape so that they correspond one to one, or null where they do not factor
 * alike.
 */
export function alignAtoms(
  first: GraphValue,
  second: GraphValue,
): { first: GraphValue; second: GraphValue; pairs: Map<Atom, Atom> } | null {
  let [a, b] = [first, second];
  const pairs = new Map<Atom, Atom>();
  for (let k = 0; k < first.axes.length; k++) {
    for (let i = 0; i < Math.max(a.axes[k].length, b.axes[k].length); i++) {
      const [left, right] = [a.axes[k][i], b.axes[k][i]];
      if (left === undefined || right === undefined) return null;
      if (left.size !== right.size) {
        if (left.size === null || right.size === null) return null;
        if (left.size % right.size === 0) {
          a = splitAtom(a, left, [{ size: right.size }, { size: left.size / right.size }]);
        } else if (right.size % left.size === 0) {
          b = splitAtom(b, right, [{ size: left.size }, { size: right.size / left.size }]);
        } else {
          return null;
        }
      }
      pairs.set(a.axes[k][i], b.axes[k][i]);
    }
  }
  return { first: a, second: b, pairs };
}
