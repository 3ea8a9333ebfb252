import type { GraphBuilder } from '../graph/graph-builder.ts';
import { mergeIntoProducer } from './graph-passes.ts';

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
