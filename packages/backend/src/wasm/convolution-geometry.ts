/** Three numbers, one per spatial axis; a 2D convolution has 1 in front. */
export type Axes = readonly [number, number, number];

/** Sizes of a convolution over up to three spatial axes, NDHWC. */
export interface ConvolutionGeometry {
  batch: number;
  input: Axes;
  inChannels: number;
  output: Axes;
  outChannels: number;
  kernel: Axes;
  stride: Axes;
  dilation: Axes;
  /** Zeros in front of each axis. */
  padding: Axes;
}

/** Pooling has the sizes of a convolution with as many channels out as in. */
export type PoolingGeometry = ConvolutionGeometry;

/** What the kernels need of TensorFlow.js' Conv2DInfo. */
interface Info2D {
  batchSize: number;
  inHeight: number;
  inWidth: number;
  inChannels: number;
  outHeight: number;
  outWidth: number;
  outChannels: number;
  filterHeight: number;
  filterWidth: number;
  strideHeight: number;
  strideWidth: number;
  dilationHeight: number;
  dilationWidth: number;
  padInfo: { top: number; left: number };
}

/** What the kernels need of TensorFlow.js' Conv3DInfo beyond Conv2DInfo. */
interface Info3D extends Omit<Info2D, 'padInfo'> {
  inDepth: number;
  outDepth: number;
  filterDepth: number;
  strideDepth: number;
  dilationDepth: number;
  padInfo: { front: number; top: number; left: number };
}

/** Geometry of a 2D convolution from `backend_util.computeConv2DInfo`. */
export function geometryOf2D(info: Info2D): ConvolutionGeometry {
  return {
    batch: info.batchSize,
    input: [1, info.inHeight, info.inWidth],
    inChannels: info.inChannels,
    output: [1, info.outHeight, info.outWidth],
    outChannels: info.outChannels,
    kernel: [1, info.filterHeight, info.filterWidth],
    stride: [1, info.strideHeight, info.strideWidth],
    dilation: [1, info.dilationHeight, info.dilationWidth],
    padding: [0, info.padInfo.top, info.padInfo.left],
  };
}

/** Geometry of a 3D convolution from `backend_util.computeConv3DInfo`. */
export function geometryOf3D(info: Info3D): ConvolutionGeometry {
  return {
    batch: info.batchSize,
    input: [info.inDepth, info.inHeight, info.inWidth],
    inChannels: info.inChannels,
    output: [info.outDepth, info.outHeight, info.outWidth],
    outChannels: info.outChannels,
    kernel: [info.filterDepth, info.filterHeight, info.filterWidth],
    stride: [info.strideDepth, info.strideHeight, info.strideWidth],
    dilation: [info.dilationDepth, info.dilationHeight, info.dilationWidth],
    padding: [info.padInfo.front, info.padInfo.top, info.padInfo.left],
  };
}

/** Floats in a volume of these sizes. */
export function volumeOf(axes: Axes): number {
  return axes[0] * axes[1] * axes[2];
}

/** Applies a function to each axis. */
export function mapAxes(body: (axis: 0 | 1 | 2) => number): Axes {
  return [body(0), body(1), body(2)];
}

/** Sum of a function over the axes. */
export function sumAxes(body: (axis: 0 | 1 | 2) => number): number {
  return body(0) + body(1) + body(2);
}
