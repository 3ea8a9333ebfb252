import type { GraphNode, Initializer } from '../format/encode-model.ts';
import type { GraphBuilder } from '../graph/graph-builder.ts';

/** How often each tensor is read, the graph's outputs included. */
export function countReaders(nodes: readonly GraphNode[], outputs: readonly string[]): Map<string, number> {
  const readers = new Map<string, number>();
  const add = (name: string) => readers.set(name, (readers.get(name) ?? 0) + 1);
  for (const node of nodes) node.inputs.forEach(add);
  outputs.forEach(add);
  return readers;
}

/** The node that writes each tensor. */
export function findProducers(nodes: readonly GraphNode[]): Map<string, GraphNode> {
  return new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
}

/**
 * Lets `rewrite` merge nodes into the ones before them: it gets a node and the node that writes its first input
 * when nothing else reads that tensor, and answers with the merged node or null.
 */
export function mergeIntoProducer(
  builder: GraphBuilder,
  outputs: readonly string[],
  rewrite: (node: GraphNode, producer: GraphNode) => GraphNode | null,
): void {
  const readers = countReaders(builder.nodes, outputs);
  const kept: (GraphNode | null)[] = [];
  const places = new Map<string, number>();
  for (const node of builder.nodes) {
    const place = places.get(node.inputs[0]);
    const producer = place === undefined ? null : kept[place];
    const merged = producer && readers.get(node.inputs[0]) === 1 ? rewrite(node, producer) : null;
    if (merged) kept[place!] = null;
    places.set(node.outputs[0], kept.push(merged ?? node) - 1);
  }
  builder.nodes = kept.filter((node) => node !== null);
}

/** The constant of floats behind a name, or undefined. */
export function floatsOf(
  builder: GraphBuilder,
  name: string,
): (Initializer & { data: Float32Array }) | undefined {
  const found = builder.initializers.get(name);
  return found?.data instanceof Float32Array ? (found as Initializer & { data: Float32Array }) : undefined;
}

/** Drops nodes and constants that no output depends on. */
export function removeUnused(builder: GraphBuilder, outputs: readonly string[]): void {
  const needed = new Set(outputs);
  builder.nodes = builder.nodes
    .toReversed()
    .filter((node) => {
      const used = node.outputs.some((name) => needed.has(name));
      if (used) for (const name of node.inputs) needed.add(name);
      return used;
    })
    .toReversed();
  for (const name of [...builder.initializers.keys()])
    if (!needed.has(name)) builder.initializers.delete(name);
}
