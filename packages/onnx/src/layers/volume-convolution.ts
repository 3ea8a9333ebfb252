import { materialize, spatialOrder } from '../graph/materialize.ts';
import { axisSize, createAxis, type GraphValue } from '../graph/value.ts';
import {
  channelAxisOf,
  type LayerCall,
  type LayerWeight,
  pickSettings,
  transposeWeights,
  windowOf,
} from './layer-call.ts';
import { convertConcatenate } from './merge.ts';
import {
  addRepeatedParts,
  convolveWindows,
  gatherWindows,
  padSlices,
  type SliceConvolution,
  sliceOrder,
  splitParts,
} from './slices.ts';

/**
 * A 3D convolution as 2D convolutions of slices: the slices under the kernel are gathered side by side as
 * channels and one planar convolution handles all output slices as a batch. ONNX Runtime has blocked direct
 * kernels for two dimensions and only a general matrix product over unfolded windows for three. The axis that
 * is taken apart is the one that lies outermost in memory, so that a slice is one block. Inputs that are mostly
 * repeated along that axis are convolved once per distinct place (`addRepeatedParts`).
 * @param kernel [k, k, k, in, out].
 */
export function convolveSlices(
  call: LayerCall,
  kernel: LayerWeight,
  bias: LayerWeight | undefined,
): GraphValue {
  const { builder, name, config, inputs } = call;
  const channelAxis = channelAxisOf(call, inputs[0].axes.length);
  const spatial = spatialOrder(inputs[0], channelAxis);
  const [outer, ...plane] = spatial;
  const { axes } = inputs[0];
  const natural = spatial.toSorted((a, b) => a - b);
  const turned = spatial.map((axis) => natural.indexOf(axis));
  const flat = transposeWeights(kernel.data, kernel.shape, [4, turned[0], 3, turned[1], turned[2]]);
  const [outputs, taps, , ...size] = flat.shape;
  const { attributes, outSizes } = windowOf(call, {
    sizes: spatial.map((axis) => axisSize(axes[axis])),
    kernel: [taps, ...size],
    strides: pickSettings(config.strides, spatial),
    dilations: [1, 1, 1],
  });
  const { strides, pads } = attributes;
  const convolution: SliceConvolution = {
    call,
    channelAxis,
    outer,
    plane,
    kernel: flat,
    stride: strides[0],
    before: pads[0],
    after: pads[3],
    count: outSizes[0],
    attributes: {
      kernel_shape: size,
      strides: strides.slice(1),
      pads: [pads[1], pads[2], pads[4], pads[5]],
      group: 1,
    },
  };
  const parts = splitParts(convolution, builder.joined.get(inputs[0].name));
  let result: string;
  if (parts === null) {
    result = convolvePart(convolution, inputs[0], flat, bias, name);
  } else {
    const { varying, kernel: own } = parts;
    const joined = varying.length === 1 ? varying[0] : joinVarying(call, varying);
    const moving = convolvePart(convolution, joined, own, bias, `${name}_varying`);
    result = addRepeatedParts(convolution, parts.repeated, moving, outSizes.slice(1));
  }
  const outAxes = [...axes];
  outAxes[channelAxis] = createAxis(outputs);
  spatial.forEach((axis, i) => {
    outAxes[axis] = createAxis(outSizes[i]);
  });
  const dims = [
    [...outAxes[0], ...outAxes[outer]],
    outAxes[channelAxis],
    ...plane.map((axis) => outAxes[axis]),
  ];
  return { name: result, dims, axes: outAxes };
}

function joinVarying(call: LayerCall, varying: readonly GraphValue[]): GraphValue {
  return convertConcatenate({
    ...call,
    name: `${call.name}_joined`,
    config: { axis: -1 },
    inputs: varying,
  });
}

/** Gathers the slices under the kernel and convolves them. */
function convolvePart(
  convolution: SliceConvolution,
  input: GraphValue,
  kernel: LayerWeight,
  bias: LayerWeight | undefined,
  hint: string,
): string {
  const { call, channelAxis, outer, plane, stride, before, after, count } = convolution;
  const { builder } = call;
  const value = materialize(builder, input, sliceOrder(convolution, input));
  const taps = kernel.shape[1];
  let slices = value.name;
  if (before + after > 0) slices = padSlices(builder, slices, before, after, hint);
  if (count !== 1 || taps !== axisSize(input.axes[outer]) + before + after) {
    const places = Array.from({ length: count * taps }, (_, i) => Math.floor(i / taps) * stride + (i % taps));
    slices = gatherWindows(builder, slices, places, taps, hint);
  }
  const planes = plane.map((axis) => axisSize(input.axes[axis]));
  const channels = axisSize(input.axes[channelAxis]);
  return convolveWindows(convolution, slices, { kernel, channels, planes, bias }, hint);
}
