import { type LayerCall, unsupported } from './layer-call.ts';

/** A sliding window, one entry per spatial axis in the order of memory. */
export interface WindowShape {
  readonly sizes: readonly number[];
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
}

/**
 * Padding of TensorFlow as ONNX writes it, and the sizes that come out. 'same' puts the odd pixel at the end.
 */
export function windowOf(
  call: LayerCall,
  { sizes, kernel, strides, dilations }: WindowShape,
): { attributes: Record<string, number[]>; outSizes: number[] } {
  const padding: string = call.config.padding ?? 'valid';
  const reach = kernel.map((k, i) => (k - 1) * dilations[i] + 1);
  const total = sizes.map((size, i) => {
    if (padding === 'valid') return 0;
    if (padding !== 'same') unsupported(call, `padding '${padding}'`);
    return Math.max(0, (Math.ceil(size / strides[i]) - 1) * strides[i] + reach[i] - size);
  });
  const before = total.map((t) => Math.floor(t / 2));
  const outSizes = sizes.map((size, i) => Math.floor((size + total[i] - reach[i]) / strides[i]) + 1);
  const attributes: Record<string, number[]> = {
    kernel_shape: [...kernel],
    strides: [...strides],
    pads: [...before, ...total.map((t, i) => t - before[i])],
  };
  if (dilations.some((d) => d !== 1)) attributes.dilations = [...dilations];
  return { attributes, outSizes };
}
