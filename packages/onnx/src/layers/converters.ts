import { toChannelsFirst, toChannelsSecond } from '../graph/materialize.ts';
import { axisSize, type GraphValue, renamed } from '../graph/value.ts';
import {
  convertActivation,
  convertPReLU,
  convertReLU,
  convertSlopedReLU,
  convertSoftmax,
} from './activation.ts';
import {
  convertConvolution,
  convertDense,
  convertDepthwise,
  convertSeparable,
  convertTransposed,
  spatialResult,
} from './convolution.ts';

import {
  channelAxisOf,
  type LayerCall,
  type LayerConverter,
  type LayerWeight,
  pickSettings,
  windowOf,
} from './layer-call.ts';
import { convertConcatenate, convertMerge } from './merge.ts';
import {
  convertBorder,
  convertFlatten,
  convertIdentity,
  convertPermute,
  convertRepeatVector,
  convertReshape,
  convertUpSampling,
} from './shape.ts';

/** Converters by the layer's class name. */
export const LAYER_CONVERTERS: Readonly<Record<string, LayerConverter>> = {
  Activation: convertActivation,
  Add: convertMerge,
  AlphaDropout: convertIdentity,
  Average: convertMerge,
  AveragePooling1D: convertPooling,
  AveragePooling2D: convertPooling,
  AveragePooling3D: convertPooling,
  BatchNormalization: convertBatchNormalization,
  Concatenate: convertConcatenate,
  Conv1D: convertConvolution,
  Conv2D: convertConvolution,
  Conv2DTranspose: convertTransposed,
  Conv3D: convertConvolution,
  Cropping2D: convertBorder,
  Dense: convertDense,
  DepthwiseConv2D: convertDepthwise,
  Dropout: convertIdentity,
  ELU: convertSlopedReLU,
  Flatten: convertFlatten,
  GaussianDropout: convertIdentity,
  GaussianNoise: convertIdentity,
  GlobalAveragePooling1D: convertGlobalPooling,
  GlobalAveragePooling2D: convertGlobalPooling,
  GlobalMaxPooling1D: convertGlobalPooling,
  GlobalMaxPooling2D: convertGlobalPooling,
  LeakyReLU: convertSlopedReLU,
  MaxPooling1D: convertPooling,
  MaxPooling2D: convertPooling,
  MaxPooling3D: convertPooling,
  Maximum: convertMerge,
  Minimum: convertMerge,
  Multiply: convertMerge,
  PReLU: convertPReLU,
  Permute: convertPermute,
  ReLU: convertReLU,
  RepeatVector: convertRepeatVector,
  Rescaling: convertRescaling,
  Reshape: convertReshape,
  SeparableConv2D: convertSeparable,
  Softmax: convertSoftmax,
  SpatialDropout1D: convertIdentity,
  ThresholdedReLU: convertSlopedReLU,
  UpSampling2D: convertUpSampling,
  ZeroPadding2D: convertBorder,
};

/** Class names of the layers that `exportNetwork` can write. */
export const SUPPORTED_LAYERS: readonly string[] = Object.keys(LAYER_CONVERTERS);

/** `MaxPooling1D..3D` and `AveragePooling1D..3D`. Padding is no part of an average, as in TensorFlow. */
function convertPooling(call: LayerCall): GraphValue {
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
function convertGlobalPooling(call: LayerCall): GraphValue {
  const { builder, className, inputs } = call;
  const channelAxis = channelAxisOf(call, inputs[0].axes.length);
  const { value, spatial } = toChannelsFirst(builder, inputs[0], channelAxis);
  const type = className.startsWith('GlobalMax') ? 'GlobalMaxPool' : 'GlobalAveragePool';
  const name = builder.node(type, [value.name], call.name);
  const [batch, channels] = [value.axes[0], value.axes[channelAxis]];
  return { name, dims: [batch, channels, ...spatial.map(() => [])], axes: [batch, channels] };
}

/** `BatchNormalization` with its running statistics. */
function convertBatchNormalization(call: LayerCall): GraphValue {
  const { builder, name, config, inputs, weights } = call;
  const rank = inputs[0].axes.length;
  const axis = config.axis < 0 ? config.axis + rank : config.axis;
  const value = toChannelsSecond(builder, inputs[0], axis);
  const channels = axisSize(value.axes[axis]);
  const rest = [...weights];
  const constant = (shown: boolean, fill: number): LayerWeight =>
    shown ? rest.shift()! : { shape: [channels], data: new Float32Array(channels).fill(fill) };
  const gamma = constant(config.scale ?? true, 1);
  const beta = constant(config.center ?? true, 0);
  const [mean, variance] = rest;
  const parts: [string, LayerWeight][] = [
    ['gamma', gamma],
    ['beta', beta],
    ['mean', mean],
    ['variance', variance],
  ];
  const names = parts.map(([part, w]) => builder.floats(`${name}_${part}`, [channels], w.data));
  const epsilon = { float: config.epsilon as number };
  return renamed(value, builder.node('BatchNormalization', [value.name, ...names], name, { epsilon }));
}

/** `Rescaling`: x scale + offset. */
function convertRescaling(call: LayerCall): GraphValue {
  const { builder, name, config, inputs } = call;
  const { scale = 1, offset = 0 } = config;
  let x = inputs[0].name;
  if (scale !== 1) {
    x = builder.node(
      'Mul',
      [x, builder.floats(`${name}_scale`, [], [scale])],
      offset === 0 ? name : `${name}_scaled`,
    );
  }
  if (offset !== 0) x = builder.node('Add', [x, builder.floats(`${name}_offset`, [], [offset])], name);
  return renamed(inputs[0], x);
}
