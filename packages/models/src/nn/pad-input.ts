import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';

/**
 * Zero border that makes a 'valid' convolution of odd kernel size and stride 2 sample the same pixels as
 * PyTorch's padding of kernelSize / 2 (TensorFlow's 'same' shifts them by one at stride 2).
 */
export function padInput(x: SymbolicTensor, name: string, kernelSize: number): SymbolicTensor {
  const before = (kernelSize - 1) / 2;
  const padding: [[number, number], [number, number]] = [
    [before, before - 1],
    [before, before - 1],
  ];
  return layers.zeroPadding2d({ name, padding }).apply(x) as SymbolicTensor;
}
