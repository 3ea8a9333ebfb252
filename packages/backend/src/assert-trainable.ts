import { getBackend, getGradient, getKernel } from '@tensorflow/tfjs-core';

/** Kernels that training a convolutional network runs beyond those of prediction. */
const TRAINING_KERNELS = [
  'Conv2DBackpropFilter',
  'Conv2DBackpropInput',
  'Conv3DBackpropFilterV2',
  'Conv3DBackpropInputV2',
  'MaxPoolGrad',
  'UnsortedSegmentSum',
];

/**
 * Checks that the current backend can train: gradients and the kernels behind them are registered.
 *
 * @throws when gradients are not registered, or the backend lacks a kernel.
 */
export function assertTrainable(): void {
  const backend = getBackend();
  if (!getGradient('Conv2D') || !getGradient('Sum')) {
    throw new Error(
      "assertTrainable: gradients must be registered, found none (call setupBackend, or import '@tensorflow/tfjs-layers')",
    );
  }
  const missing = TRAINING_KERNELS.filter((name) => !getKernel(name, backend));
  if (missing.length > 0) {
    throw new Error(
      `assertTrainable: the backend must have every training kernel, ${backend} lacks ${missing.join(', ')} ` +
        "(choose it with setupBackend from '@voxface/backend')",
    );
  }
}
