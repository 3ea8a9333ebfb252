import { materialize, spatialOrder } from '../graph/materialize.ts';
import { axisSize, createAxis, type GraphValue } from '../graph/value.ts';
import { channelAxisOf, type LayerCall, type LayerWeight, pickSettings } from './layer-call.ts';
import { transposeWeights } from './transpose-weights.ts';
import { windowOf } from './window.ts';

/**
 * A 3D convolution as 2D convolutions of slices: the slices under the kernel are gathered side by side as
 * channels and one planar convolution handles all output slices as a batch. ONNX Runtime has blocked direct
 * kernels for two dimensions and only a general matrix product over unfolded windows for three. The axis that
 * is taken apart is the one that lies outermost in memory, so that a slice is one block.
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
  const order = [axes[0], axes[outer], axes[channelAxis], ...plane.map((axis) => axes[axis])];
  const value = materialize(builder, inputs[0], order);
  const natural = spatial.toSorted((a, b) => a - b);
  const turned = spatial.map((axis) => natural.indexOf(axis));
  const { data, shape } = transposeWeights(kernel.data, kernel.shape, [
    4,
    turned[0],
    3,
    turned[1],
    turned[2],
  ]);
  const [outputs, taps, channels, ...size] = shape;
  const { attributes, outSizes } = windowOf(call, {
    sizes: spatial.map((axis) => axisSize(axes[axis])),
    kernel: [taps, ...size],
    strides: pickSettings(config.strides, spatial),
    dilations: [1, 1, 1],
  });
  const { strides, pads } = attributes;
  const slices = gatherSlices(call, value, {
    taps,
    stride: strides[0],
    before: pads[0],
    after: pads[3],
    count: outSizes[0],
  });
  const planes = plane.map((axis) => axisSize(axes[axis]));
  const image = builder.node(
    'Reshape',
    [slices, builder.integers([-1, taps * channels, ...planes])],
    `${name}_slices`,
  );
  const names = [image, builder.floats(`${name}_kernel`, [outputs, taps * channels, ...size], data)];
  if (bias !== undefined) names.push(builder.floats(`${name}_bias`, bias.shape, bias.data));
  const result = builder.node('Conv', names, name, {
    kernel_shape: size,
    strides: strides.slice(1),
    pads: [pads[1], pads[2], pads[4], pads[5]],
    group: 1,
  });
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

/** [b, slices, ...] -> [b, count, taps, ...]: the slices under the kernel at every place of it. */
function gatherSlices(
  call: LayerCall,
  value: GraphValue,
  window: { taps: number; stride: number; before: number; after: number; count: number },
): string {
  const { builder, name } = call;
  const { taps, stride, before, after, count } = window;
  let slices = value.name;
  if (before + after > 0) {
    const pads = builder.integers([0, before, 0, 0, 0, 0, after, 0, 0, 0]);
    slices = builder.node('Pad', [slices, pads], `${name}_padded`, { mode: 'constant' });
  }
  if (count === 1 && taps === axisSize(value.dims[1]) + before + after) return slices;
  const places = Array.from({ length: count * taps }, (_, i) => Math.floor(i / taps) * stride + (i % taps));
  return builder.node('Gather', [slices, builder.integers(places, [count, taps])], `${name}_windows`, {
    axis: 1,
  });
}
