import type { GraphBuilder } from '../graph/graph-builder.ts';
import { floatsOf, mergeIntoProducer } from './graph-passes.ts';

/**
 * Folds a batch normalisation into the convolution before it where nothing else reads the convolution:
 * gamma (W x + b - mean) / sqrt(variance + epsilon) + beta is a convolution with scaled W and b. Exact up to
 * rounding. Normalisations behind sums (pre-activation blocks) stay.
 */
export function foldBatchNormalization(builder: GraphBuilder, outputs: readonly string[]): void {
  mergeIntoProducer(builder, outputs, (node, producer) => {
    if (node.type !== 'BatchNormalization' || producer.type !== 'Conv') return null;
    const kernel = floatsOf(builder, producer.inputs[1])!;
    const [gamma, beta, mean, variance] = node.inputs.slice(1).map((name) => floatsOf(builder, name)!.data);
    const { float: epsilon } = node.attributes.epsilon as { float: number };
    const channels = kernel.dims[0];
    const bias = producer.inputs[2] === undefined ? undefined : floatsOf(builder, producer.inputs[2])!.data;
    const scale = Float64Array.from(gamma, (g, c) => g / Math.sqrt(variance[c] + epsilon));
    const perChannel = kernel.data.length / channels;
    const weights = kernel.data.map((w, i) => w * scale[Math.floor(i / perChannel)]);
    const offset = Float64Array.from(scale, (s, c) => beta[c] + ((bias?.[c] ?? 0) - mean[c]) * s);
    const inputs = [
      producer.inputs[0],
      builder.floats(`${producer.name}_${node.name}_kernel`, kernel.dims, weights),
      builder.floats(`${producer.name}_${node.name}_bias`, [channels], offset),
    ];
    return { ...producer, inputs, outputs: node.outputs };
  });
}
