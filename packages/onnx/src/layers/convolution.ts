import { toChannelsFirst, toPlain } from '../graph/materialize.ts';
import { axisSize, createAxis, type GraphValue, plainValue } from '../graph/value.ts';
import { activate } from './activation.ts';
import {
  channelAxisOf,
  type LayerCall,
  type LayerWeight,
  pickSettings,
  toList,
  transposeWeights,
  unsupported,
  windowOf,
} from './layer-call.ts';

import { convolveSlices } from './volume-convolution.ts';

/** `Conv1D`, `Conv2D`, `Conv3D`. Kernel [k..., in, out] -> [out, in, k...]. */
export function convertConvolution(call: LayerCall): GraphValue {
  const [kernel, bias] = call.weights;
  const rank = kernel.shape.length - 2;
  if (rank === 3 && toList(call.config.dilationRate ?? 1, 3).every((d) => d === 1)) {
    const volume = convolveSlices(call, kernel, bias);
    return activate(call, volume, call.config.activation, `${call.name}_${call.config.activation}`);
  }
  const result = convolve(call, call.inputs[0], call.name, {
    kernel,
    bias,
    axes: { out: rank + 1, in: rank },
    group: 1,
  });
  return activate(call, result, call.config.activation, `${call.name}_${call.config.activation}`);
}

/** `DepthwiseConv2D`. Kernel [k, k, in, multiplier] -> [in * multiplier, 1, k, k]. */
export function convertDepthwise(call: LayerCall): GraphValue {
  const result = depthwise(call, call.weights[0], call.weights[1], call.name);
  return activate(call, result, call.config.activation, `${call.name}_${call.config.activation}`);
}

/** `SeparableConv2D`: a depthwise convolution without bias, then a pointwise one. */
export function convertSeparable(call: LayerCall): GraphValue {
  const [depth, point, bias] = call.weights;
  const middle = depthwise(call, depth, undefined, `${call.name}_depthwise`);
  const pointwise = { ...call, config: { ...call.config, strides: 1, dilationRate: 1, padding: 'valid' } };
  const result = convolve(pointwise, middle, call.name, {
    kernel: point,
    bias,
    axes: { out: 3, in: 2 },
    group: 1,
  });
  return activate(call, result, call.config.activation, `${call.name}_${call.config.activation}`);
}

function depthwise(call: LayerCall, kernel: LayerWeight, bias: LayerWeight | undefined, hint: string) {
  const [height, width, channels, multiplier] = kernel.shape;
  const data = transposeWeights(kernel.data, kernel.shape, [2, 3, 0, 1]).data;
  const flat = { shape: [channels * multiplier, 1, height, width], data };
  return convolve(call, call.inputs[0], hint, {
    kernel: flat,
    bias,
    axes: { out: 0, in: 1 },
    group: channels,
  });
}

interface ConvolutionWeights {
  readonly kernel: LayerWeight;
  readonly bias: LayerWeight | undefined;
  /** Which axes of the kernel hold channels; the others are spatial, in the order of the source's axes. */
  readonly axes: { readonly out: number; readonly in: number };
  readonly group: number;
}

/** One `Conv` node. The spatial axes may come in any order in memory: the kernel is turned to match. */
function convolve(call: LayerCall, input: GraphValue, hint: string, weights: ConvolutionWeights): GraphValue {
  const { builder, config } = call;
  const { kernel, bias, axes, group } = weights;
  const channelAxis = channelAxisOf(call, input.axes.length);
  const { value, spatial } = toChannelsFirst(builder, input, channelAxis);
  const natural = [...spatial].sort((a, b) => a - b);
  const kernelAxes = kernel.shape.map((_, i) => i).filter((i) => i !== axes.out && i !== axes.in);
  const turned = spatial.map((axis) => kernelAxes[natural.indexOf(axis)]);
  const { data, shape } = transposeWeights(kernel.data, kernel.shape, [axes.out, axes.in, ...turned]);
  const window = windowOf(call, {
    sizes: spatial.map((axis) => axisSize(value.axes[axis])),
    kernel: shape.slice(2),
    strides: pickSettings(config.strides, spatial),
    dilations: pickSettings(config.dilationRate ?? 1, spatial),
  });
  const names = [value.name, builder.floats(`${hint}_kernel`, shape, data)];
  if (bias !== undefined) names.push(builder.floats(`${hint}_bias`, bias.shape, bias.data));
  const name = builder.node('Conv', names, hint, { ...window.attributes, group });
  return spatialResult(name, value, channelAxis, spatial, createAxis(shape[0]), window.outSizes);
}

/** `Conv2DTranspose`. Kernel [k, k, out, in] -> [in, out, k, k]. */
export function convertTransposed(call: LayerCall): GraphValue {
  const { builder, name: hint, config, inputs, weights } = call;
  const [kernel, bias] = weights;
  const channelAxis = channelAxisOf(call, inputs[0].axes.length);
  const { value, spatial } = toChannelsFirst(builder, inputs[0], channelAxis);
  const natural = [...spatial].sort((a, b) => a - b);
  const turned = spatial.map((axis) => natural.indexOf(axis));
  const { data, shape } = transposeWeights(kernel.data, kernel.shape, [3, 2, ...turned]);
  const strides = pickSettings(config.strides, spatial);
  if (toList(config.dilationRate ?? 1, 2).some((d) => d !== 1)) unsupported(call, 'dilation');
  const surplus = strides.map((s, i) => (config.padding === 'same' ? shape[2 + i] - s : 0));
  const before = surplus.map((total) => Math.floor(Math.max(0, total) / 2));
  const attributes = {
    kernel_shape: shape.slice(2),
    strides,
    pads: [...before, ...surplus.map((total, i) => Math.max(0, total) - before[i])],
    output_padding: surplus.map((total, i) =>
      config.padding === 'same' ? Math.max(0, -total) : Math.max(0, strides[i] - shape[2 + i]),
    ),
  };
  const names = [value.name, builder.floats(`${hint}_kernel`, shape, data)];
  if (bias !== undefined) names.push(builder.floats(`${hint}_bias`, bias.shape, bias.data));
  const name = builder.node('ConvTranspose', names, hint, attributes);
  const sizes = spatial.map((axis, i) => {
    const size = axisSize(value.axes[axis]) * strides[i];
    return config.padding === 'same' ? size : size + Math.max(0, shape[2 + i] - strides[i]);
  });
  const result = spatialResult(name, value, channelAxis, spatial, createAxis(shape[1]), sizes);
  return activate(call, result, config.activation, `${hint}_${config.activation}`);
}

/** The value that a channels-first operator leaves: new channels, new sizes, same order of axes. */
export function spatialResult(
  name: string,
  value: GraphValue,
  channelAxis: number,
  spatial: readonly number[],
  channels: GraphValue['axes'][number],
  sizes: readonly number[],
): GraphValue {
  const axes = [...value.axes];
  axes[channelAxis] = channels;
  spatial.forEach((axis, i) => {
    axes[axis] = createAxis(sizes[i]);
  });
  return { name, dims: [axes[0], channels, ...spatial.map((axis) => axes[axis])], axes };
}

/** `Dense`: `Gemm` on vectors, `MatMul` along the last axis of anything larger. */
export function convertDense(call: LayerCall): GraphValue {
  const { builder, name, inputs, weights, config } = call;
  const [kernel, bias] = weights;
  const value = toPlain(builder, inputs[0]);
  const names = [builder.floats(`${name}_kernel`, kernel.shape, kernel.data)];
  if (bias !== undefined) names.push(builder.floats(`${name}_bias`, bias.shape, bias.data));
  const axes = [...value.axes.slice(0, -1), createAxis(kernel.shape[1])];
  let result: string;
  if (value.axes.length === 2) {
    result = builder.node('Gemm', [value.name, ...names], name);
  } else {
    result = builder.node('MatMul', [value.name, names[0]], bias ? `${name}_product` : name);
    if (bias !== undefined) result = builder.node('Add', [result, names[1]], name);
  }
  return activate(call, plainValue(result, axes), config.activation, `${name}_${config.activation}`);
}
