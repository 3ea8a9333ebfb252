import type { Tensor } from '@tensorflow/tfjs-core';
import { input, type LayersModel, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import type {
  ConvolutionOptions,
  DetectionActivation,
  NetworkDescription,
  NetworkOperations,
} from './detection-network.ts';

/** A described network as a tfjs-layers model with its own copy of the weights, to be exported. */
export function buildDetectionLayers({ head, build }: NetworkDescription): LayersModel {
  const picture = input({ shape: [head.inputSize, head.inputSize, 3], name: 'picture' });
  return model({ inputs: picture, outputs: build(layerOperations, picture), name: `detector_${head.kind}` });
}

const layerOperations: NetworkOperations<SymbolicTensor> = {
  convolve: (x, options) => {
    const [kernelSize, , , filters] = options.filter.shape;
    const layer = layers.conv2d({ filters, kernelSize, ...settingsOf(options) });
    return rectify(applyWith(layer, x, options), options.activation);
  },
  convolveDepthwise: (x, options) => {
    const layer = layers.depthwiseConv2d({ kernelSize: options.filter.shape[0], ...settingsOf(options) });
    return rectify(applyWith(layer, x, options), options.activation);
  },
  rescale: (x, scale, offset) => layers.rescaling({ scale, offset }).apply(x) as SymbolicTensor,
  maxPool: (x, poolSize, strides) =>
    layers.maxPooling2d({ poolSize, strides, padding: 'same' }).apply(x) as SymbolicTensor,
  padOne: (x) => layers.zeroPadding2d({ padding: 1 }).apply(x) as SymbolicTensor,
  joinCells: (maps, size) => {
    const cells = maps.map((map) => {
      const values = (map.shape.slice(1) as number[]).reduce((a, b) => a * b, 1);
      return layers.reshape({ targetShape: [values / size, size] }).apply(map) as SymbolicTensor;
    });
    return cells.length === 1 ? cells[0] : (layers.concatenate({ axis: 1 }).apply(cells) as SymbolicTensor);
  },
};

function settingsOf({ bias, strides = 1, pad }: ConvolutionOptions) {
  return { strides, padding: pad, useBias: bias !== undefined } as const;
}

function applyWith(
  layer: { apply(x: SymbolicTensor): unknown; setWeights(weights: Tensor[]): void },
  x: SymbolicTensor,
  { filter, bias }: ConvolutionOptions,
): SymbolicTensor {
  const y = layer.apply(x) as SymbolicTensor;
  layer.setWeights(bias ? [filter, bias] : [filter]);
  return y;
}

function rectify(x: SymbolicTensor, activation: DetectionActivation = 'linear'): SymbolicTensor {
  if (activation === 'linear') return x;
  const layer = activation === 'relu6' ? layers.reLU({ maxValue: 6 }) : layers.leakyReLU({ alpha: 0.1 });
  return layer.apply(x) as SymbolicTensor;
}
