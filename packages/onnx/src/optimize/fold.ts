import type { GraphNode } from '../format/encode-model.ts';
import type { GraphBuilder } from '../graph/graph-builder.ts';
import { countReaders, findProducers, floatsOf, mergeIntoProducer } from './graph-passes.ts';

/**
 * Folds a batch normalisation into the convolution before it where nothing else reads the convolution:
 * gamma (W x + b - mean) / sqrt(variance + epsilon) + beta is a convolution with scaled W and b. The same holds for
 * sums of convolutions of which only one gets the offset. Exact up to rounding. Normalisations behind other sums
 * (pre-activation blocks) stay.
 */
export function foldBatchNormalization(builder: GraphBuilder, outputs: readonly string[]): void {
  const readers = countReaders(builder.nodes, outputs);
  const producers = findProducers(builder.nodes);
  const replaced = new Map<string, GraphNode>();
  mergeIntoProducer(builder, outputs, (node, producer) => {
    if (node.type !== 'BatchNormalization') return null;
    const affine = affineOf(builder, node);
    if (producer.type === 'Conv') {
      return { ...scaleConvolution(builder, producer, affine, node.name), outputs: node.outputs };
    }
    const convolutions = summedConvolutions(builder, producer, producers, readers);
    if (convolutions === null) return null;
    convolutions.forEach((convolution, i) => {
      const offset = i === 0 ? affine.offset : new Float64Array(affine.offset.length);
      replaced.set(
        convolution.name,
        scaleConvolution(builder, convolution, { ...affine, offset }, node.name),
      );
    });
    return { ...producer, outputs: node.outputs };
  });
  builder.nodes = builder.nodes.map((node) => replaced.get(node.name) ?? node);
}

/** y = scale x + offset per channel. */
interface Affine {
  readonly scale: Float64Array;
  readonly offset: Float64Array;
}

function affineOf(builder: GraphBuilder, node: GraphNode): Affine {
  const [gamma, beta, mean, variance] = node.inputs.slice(1).map((name) => floatsOf(builder, name)!.data);
  const { float: epsilon } = node.attributes.epsilon as { float: number };
  const scale = Float64Array.from(gamma, (g, c) => g / Math.sqrt(variance[c] + epsilon));
  return { scale, offset: Float64Array.from(scale, (s, c) => beta[c] - mean[c] * s) };
}

function scaleConvolution(
  builder: GraphBuilder,
  convolution: GraphNode,
  { scale, offset }: Affine,
  hint: string,
): GraphNode {
  const kernel = floatsOf(builder, convolution.inputs[1])!;
  const channels = kernel.dims[0];
  const name = convolution.inputs[2];
  const bias = name === undefined ? undefined : floatsOf(builder, name)!.data;
  const perChannel = kernel.data.length / channels;
  const weights = kernel.data.map((w, i) => w * scale[Math.floor(i / perChannel)]);
  const shifted = Float64Array.from(scale, (s, c) => offset[c] + (bias?.[c] ?? 0) * s);
  const inputs = [
    convolution.inputs[0],
    builder.floats(`${convolution.name}_${hint}_kernel`, kernel.dims, weights),
    builder.floats(`${convolution.name}_${hint}_bias`, [channels], shifted),
  ];
  return { ...convolution, inputs };
}

/** The convolutions whose channelwise sum a node is, or null where anything else is in it or reads a part of it. */
function summedConvolutions(
  builder: GraphBuilder,
  node: GraphNode,
  producers: ReadonlyMap<string, GraphNode>,
  readers: ReadonlyMap<string, number>,
): GraphNode[] | null {
  if (readers.get(node.outputs[0]) !== 1) return null;
  if (node.type === 'Conv') return [node];
  if (!builder.channelwise.has(node.outputs[0])) return null;
  const found: GraphNode[] = [];
  for (const input of node.type === 'Add' ? node.inputs : node.inputs.slice(0, 1)) {
    const producer = producers.get(input);
    const inner = producer && summedConvolutions(builder, producer, producers, readers);
    if (!inner) return null;
    found.push(...inner);
  }
  return found;
}

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

/** Folds a border of zeros into the convolution behind it. */
export function foldPadding(builder: GraphBuilder, outputs: readonly string[]): void {
  mergeIntoProducer(builder, outputs, (node, producer) => {
    if (node.type !== 'Conv' || producer.type !== 'Pad') return null;
    const pads = builder.initializers.get(producer.inputs[1])!.data;
    const rank = pads.length / 2;
    const own = node.attributes.pads as readonly number[];
    const border = [...pads.slice(2, rank), ...pads.slice(rank + 2)];
    if (border.some((p) => p < 0)) return null;
    const inputs = [producer.inputs[0], ...node.inputs.slice(1)];
    return { ...node, inputs, attributes: { ...node.attributes, pads: own.map((p, i) => p + border[i]) } };
  });
}
