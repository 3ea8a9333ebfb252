import type { LayersModel } from '@tensorflow/tfjs-layers';

/** What one layer costs for one image. */
export interface LayerCost {
  readonly name: string;
  /** Class of the layer, such as `Conv2D`. */
  readonly kind: string;
  /** Output shape without the batch axis. */
  readonly shape: readonly number[];
  /** Trainable values. */
  readonly parameters: number;
  /** Multiply-accumulates of convolutions and dense layers; 0 for the rest. */
  readonly operations: number;
}

/** What a network costs for one image. */
export interface NetworkCost {
  readonly layers: readonly LayerCost[];
  /** Trainable values, shared layers counted once. */
  readonly parameters: number;
  /** Running statistics of batch normalisation. */
  readonly statistics: number;
  /** Multiply-accumulates for one image. */
  readonly operations: number;
}

/** Counts parameters and multiply-accumulates (1 MAC = 2 FLOP) of each layer, for one image. */
export function countOperations(network: LayersModel): NetworkCost {
  const layers = network.layers.map((layer): LayerCost => {
    const kind = layer.getClassName();
    const output = layer.getOutputAt(0);
    const shape = (Array.isArray(output) ? output[0] : output).shape.slice(1) as number[];
    const parameters = layer.trainableWeights.reduce((sum, weight) => sum + sizeOf(weight.shape), 0);
    const kernel = layer.trainableWeights[0]?.shape as number[] | undefined;
    const counted = kernel !== undefined && (kind === 'Conv2D' || kind === 'Conv3D' || kind === 'Dense');
    const operations = counted ? sizeOf(kernel) * sizeOf(shape.slice(0, -1)) : 0;
    return { name: layer.name, kind, shape, parameters, operations };
  });
  const sum = (key: 'parameters' | 'operations'): number =>
    layers.reduce((total, layer) => total + layer[key], 0);
  const statistics = network.nonTrainableWeights.reduce((total, weight) => total + sizeOf(weight.shape), 0);
  return { layers, parameters: sum('parameters'), statistics, operations: sum('operations') };
}

/**
 * Table of the layers that cost something, as Markdown, with a total.
 * @param options `all`: also layers without weights.
 */
export function formatOperations(cost: NetworkCost, options: { all?: boolean } = {}): string {
  const rows = cost.layers
    .filter((layer) => options.all || layer.parameters > 0)
    .map(({ name, kind, shape, parameters, operations }) => [
      name,
      kind,
      shape.join(' x '),
      String(parameters),
      (operations / 1e6).toFixed(2),
    ]);
  rows.push(['total', '', '', String(cost.parameters), (cost.operations / 1e6).toFixed(2)]);
  const table = [
    ['layer', 'kind', 'output', 'parameters', 'MMAC'],
    ['---', '---', '---', '--:', '--:'],
    ...rows,
  ];
  return table.map((row) => `| ${row.join(' | ')} |`).join('\n');
}

function sizeOf(shape: readonly (number | null)[]): number {
  return shape.reduce<number>((size, extent) => size * (extent ?? 1), 1);
}
