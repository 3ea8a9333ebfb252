import type { GraphNode } from '../format/messages.ts';
import type { GraphBuilder } from '../graph/graph-builder.ts';
import { findProducers, floatsOf } from './graph-passes.ts';

/** Chained factors whose product is this close to 1 are rounding, not scaling. */
const ROUNDING = 1e-6;

/**
 * Joins multiplications by constants: (x a) b becomes x (a b), and x where a b = 1. The networks scale volumes down
 * for their users and up again for the regressor; both go away.
 */
export function foldScaling(builder: GraphBuilder, outputs: readonly string[]): void {
  const producers = findProducers(builder.nodes);
  const aliases = new Map<string, string>();
  const scaleOf = (node: GraphNode | undefined): number | null => {
    if (node?.type !== 'Mul') return null;
    const factor = floatsOf(builder, node.inputs[1]);
    return factor?.data.length === 1 ? factor.data[0] : null;
  };
  builder.nodes = builder.nodes.flatMap((original) => {
    const node = { ...original, inputs: original.inputs.map((name) => aliases.get(name) ?? name) };
    const producer = producers.get(node.inputs[0]);
    const [first, second] = [scaleOf(producer), scaleOf(node)];
    if (first === null || second === null) return [node];
    const source = producer!.inputs[0];
    const product = first * second;
    if (Math.abs(product - 1) < ROUNDING && !outputs.includes(node.outputs[0])) {
      aliases.set(node.outputs[0], aliases.get(source) ?? source);
      return [];
    }
    return [
      {
        ...node,
        inputs: [aliases.get(source) ?? source, builder.floats(`${node.name}_scale`, [], [product])],
      },
    ];
  });
}
