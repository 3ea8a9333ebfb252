import { input, type LayersModel, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import {
  addAll,
  bottleneck,
  convolve,
  halveSize,
  hourglass,
  normalizeRectify,
  padInput,
  rescale,
} from './blocks.ts';
import { initializeWeights } from './initialize-weights.ts';

import { type FaceShapeModelOptions, resolveOptions } from './options.ts';

/**
 * The volume estimator G (Sec. III-B.1, R9-R11): M stacked hourglasses with intermediate supervision. A linear
 * 1x1 head per stack predicts a volume; its features and its prediction are fed back into the next stack.
 * Depth and colour lie in the channels, colour fastest, so the heads cost the same for any number of landmarks.
 * @returns a functional model of built-in layers: [b, S, S, 3] in 0..1 -> M tensors [b, h, w, d_m * c]
 * (one tensor, not a list, when M = 1: that is how tfjs-layers treats a single output).
 */
export function createVolumeEstimator(options: Partial<FaceShapeModelOptions> = {}): LayersModel {
  const resolved = resolveOptions(options);
  const network = buildVolumeEstimator(resolved);
  initializeWeights(network, resolved.seed);
  return network;
}

/** The same network with all kernels at zero, for weights that are about to be loaded. */
export function buildVolumeEstimator(options: FaceShapeModelOptions): LayersModel {
  const { inputSize, features, stacks, depths, channels, stem, stemResiduals, volumeGain } = options;
  const image = input({ shape: [inputSize, inputSize, 3], name: 'image' });
  let x = padInput(image, 'stem_pad', 7);
  x = convolve(x, 'stem_conv', stem, 7, { strides: 2, padding: 'valid' });
  x = normalizeRectify(x, 'stem_bn');
  x = halveSize(bottleneck(x, 'stem_residual1', stemResiduals[0]), 'stem_pool');
  x = bottleneck(x, 'stem_residual2', stemResiduals[1]);
  x = bottleneck(x, 'stem_residual3', stemResiduals[2]);
  const outputs: SymbolicTensor[] = [];
  for (let m = 0; m < stacks; m++) {
    const name = `stack${m + 1}`;
    let y = hourglass(x, `${name}_hourglass`, options.hourglassDepth);
    y = bottleneck(y, `${name}_residual`, features);
    y = normalizeRectify(convolve(y, `${name}_fc`, features, 1), `${name}_fc_bn`);
    const head = convolve(y, `${name}_head`, depths[m] * channels, 1);
    outputs.push(rescale(head, `${name}_volume`, 1 / volumeGain));
    if (m < stacks - 1) {
      const features1 = convolve(y, `${name}_feedback`, features, 1);
      const volume1 = convolve(head, `${name}_head_feedback`, features, 1);
      x = addAll([x, features1, volume1], `${name}_sum`);
    }
  }
  return model({ inputs: image, outputs, name: 'volume_estimator' });
}
