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
} from './convolution.ts';

import type { LayerConverter } from './layer-call.ts';
import { convertConcatenate, convertMerge } from './merge.ts';
import { convertBatchNormalization, convertRescaling } from './normalization.ts';
import { convertGlobalPooling, convertPooling } from './pooling.ts';
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
