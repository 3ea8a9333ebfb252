import type { GraphNode } from '../format/encode-model.ts';
import type { GraphBuilder } from '../graph/graph-builder.ts';
import { countReaders, findProducers, floatsOf } from './graph-passes.ts';

/** A convolution of kernel 1: a matrix [out, in] and an offset [out]. */
interface Pointwise {
  readonly node: GraphNode;
  readonly source: string;
  readonly outputs: number;
  readonly inputs: number;
  readonly weights: Float32Array;
  readonly bias: Float32Array | undefined;
}

/**
 * Merges pointwise convolutions that end in one sum and begin at one tensor: with h = H y + g, the sum
 * x + A y + B h becomes x + (A + B H) y. The networks feed features and the volume predicted from them back in this
 * way. Exact up to rounding, and never more work.
 */
export function mergeParallelConvolutions(builder: GraphBuilder, outputs: readonly string[]): void {
  const readers = countReaders(builder.nodes, outputs);
  const producers = findProducers(builder.nodes);
  const isInner = (name: string): boolean =>
    producers.get(name)?.type === 'Add' && readers.get(name) === 1 && !outputs.includes(name);
  const termsOf = (node: GraphNode): string[] =>
    node.inputs.flatMap((name) => (isInner(name) ? termsOf(producers.get(name)!) : [name]));
  const consumedByAdd = new Set(
    builder.nodes.filter(({ type }) => type === 'Add').flatMap(({ inputs }) => inputs.filter(isInner)),
  );
  builder.nodes = builder.nodes.flatMap((node) => {
    if (node.type !== 'Add' || consumedByAdd.has(node.outputs[0])) return [node];
    const terms = termsOf(node);
    const merged: GraphNode[] = [];
    for (const name of terms) {
      const home = pointwiseOf(builder, producers.get(name));
      if (home === null || readers.get(name) !== 1) continue;
      for (const other of terms) {
        const late = other === name ? null : pointwiseOf(builder, producers.get(other));
        const early = late && pointwiseOf(builder, producers.get(late.source));
        if (!early || early.source !== home.source || readers.get(other) !== 1) continue;
        const known = merged.find(({ name: own }) => own === home.node.name);
        const base = known ? pointwiseOf(builder, known)! : home;
        if (known) merged.splice(merged.indexOf(known), 1);
        merged.push(join(builder, base, late!, early));
        terms.splice(terms.indexOf(other), 1);
      }
    }
    return merged.length === 0 ? [node] : [...merged, ...chain(builder, node, terms)];
  });
  // Of nodes that were written twice the later ones hold.
  const last = new Map(builder.nodes.map((node, i) => [node.outputs[0], i]));
  builder.nodes = builder.nodes.filter((node, i) => last.get(node.outputs[0]) === i);
}

/** The sum of the terms under the name of the sum that it stands for. */
function chain(builder: GraphBuilder, root: GraphNode, terms: readonly string[]): GraphNode[] {
  const nodes: GraphNode[] = [];
  let sum = terms[0];
  terms.slice(1).forEach((term, i) => {
    const isLast = i === terms.length - 2;
    const output = isLast ? root.outputs[0] : builder.unique(`${root.name}_merged`);
    nodes.push({ ...root, name: isLast ? root.name : output, inputs: [sum, term], outputs: [output] });
    sum = output;
  });
  return nodes;
}

function pointwiseOf(builder: GraphBuilder, node: GraphNode | undefined): Pointwise | null {
  if (node?.type !== 'Conv' || node.attributes.group !== 1) return null;
  const kernel = floatsOf(builder, node.inputs[1]);
  const { strides, pads } = node.attributes as { strides: number[]; pads: number[] };
  if (!kernel || kernel.dims.slice(2).some((k) => k !== 1)) return null;
  if (strides.some((s) => s !== 1) || pads.some((p) => p !== 0)) return null;
  const bias = node.inputs[2] === undefined ? undefined : floatsOf(builder, node.inputs[2])?.data;
  const [outputs, inputs] = kernel.dims;
  return { node, source: node.inputs[0], outputs, inputs, weights: kernel.data, bias };
}

/** A + B H and a + b + B g. */
function join(builder: GraphBuilder, home: Pointwise, late: Pointwise, early: Pointwise): GraphNode {
  const { outputs, inputs, node } = home;
  const weights = Float64Array.from(home.weights);
  const bias = Float64Array.from(
    { length: outputs },
    (_, o) => (home.bias?.[o] ?? 0) + (late.bias?.[o] ?? 0),
  );
  for (let o = 0; o < outputs; o++) {
    for (let m = 0; m < late.inputs; m++) {
      const factor = late.weights[o * late.inputs + m];
      bias[o] += factor * (early.bias?.[m] ?? 0);
      for (let i = 0; i < inputs; i++) weights[o * inputs + i] += factor * early.weights[m * inputs + i];
    }
  }
  const kernel = builder.initializers.get(node.inputs[1])!;
  return {
    ...node,
    inputs: [
      home.source,
      builder.floats(`${node.name}_${late.node.name}_kernel`, kernel.dims, weights),
      builder.floats(`${node.name}_${late.node.name}_bias`, [outputs], bias),
    ],
  };
}
