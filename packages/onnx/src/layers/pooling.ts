import { toChannelsFirst } from '../graph/materialize.ts';
import { axisSize, type GraphValue } from '../graph/value.ts';
import { spatialResult } from './convolution.ts';
import { channelAxisOf, type LayerCall, pickSettings, windowOf } from './layer-call.ts';

/** `MaxPooling1D..3D` and `AveragePooling1D..3D`. Padding is no part of an average, as in TensorFlow. */
export function convertPooling(call: LayerCall): GraphValue {
  const { builder, className, config, inputs } = call;
  const channelAxis = channelAxisOf(call, inputs[0].axes.length);
  const { value, spatial } = toChannelsFirst(builder, inputs[0], channelAxis);
  const window = windowOf(call, {
    sizes: spatial.map((axis) => axisSize(value.axes[axis])),
    kernel: pickSettings(config.poolSize, spatial),
    strides: pickSettings(config.strides ?? config.poolSize, spatial),
    dilations: spatial.map(() => 1),
  });
  const type = className.startsWith('Max') ? 'MaxPool' : 'AveragePool';
  const name = builder.node(type, [value.name], call.name, window.attributes);
  return spatialResult(name, value, channelAxis, spatial, value.axes[channelAxis], window.outSizes);
}

/** `GlobalMaxPooling1D/2D` and `GlobalAveragePooling1D/2D`: [b, ..., c] -> [b, c]. */
export function convertGlobalPooling(call: LayerCall): GraphValue {
  const { builder, className, inputs } = call;
  const channelAxis = channelAxisOf(call, inputs[0].axes.length);
  const { value, spatial } = toChannelsFirst(builder, inputs[0], channelAxis);
  const type = className.startsWith('GlobalMax') ? 'GlobalMaxPool' : 'GlobalAveragePool';
  const name = builder.node(type, [value.name], call.name);
  const [batch, channels] = [value.axes[0], value.axes[channelAxis]];
  return { name, dims: [batch, channels, ...spatial.map(() => [])], axes: [batch, channels] };
}
