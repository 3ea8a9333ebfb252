import type { Tensor, Tensor1D, Tensor4D } from '@tensorflow/tfjs-core';

/** A detector's network without its post-processing: a square picture in, numbers out. */
export interface DetectionNetwork {
  readonly head: DetectionHead;
  /** Outputs for one picture of RGB bytes [size, size, 3], size as the head says. */
  run(picture: Uint8Array): Promise<readonly Float32Array[]>;
  dispose(): void;
}

/** What it takes to read a detector's outputs; plain data, so that it can be sent to another thread. */
export interface DetectionHead {
  readonly kind: 'ssd' | 'tiny';
  /** Side of the square picture that the network sees. */
  readonly inputSize: number;
  /** Overlap above which the less certain of two candidates is dropped. */
  readonly overlap: number;
  /** Anchor boxes of `ssd`, [top, left, bottom, right] each; empty for `tiny`. */
  readonly anchors: Float32Array;
}

/** Weights by the names of `@vladmandic/face-api`'s manifests. */
export type NamedWeights = Record<string, Tensor>;

export type DetectionActivation = 'linear' | 'relu6' | 'leaky';

export interface ConvolutionOptions {
  readonly filter: Tensor4D;
  readonly bias?: Tensor1D;
  readonly strides?: number;
  readonly pad: 'same' | 'valid';
  readonly activation?: DetectionActivation;
}

/**
 * The operations that the detectors are made of. One description of each network is run on tensors
 * (`tensorOperations`) or becomes a model of layers that can be exported (`layerOperations`). Values are
 * [b, h, w, c]; leaky rectifiers have slope 0.1.
 */
export interface NetworkOperations<T> {
  convolve(x: T, options: ConvolutionOptions): T;
  /** Depthwise convolution, filter [k, k, c, 1]. */
  convolveDepthwise(x: T, options: ConvolutionOptions): T;
  /** x scale + offset. */
  rescale(x: T, scale: number, offset: number): T;
  maxPool(x: T, size: number, strides: number): T;
  /** A border of zeros of one pixel. */
  padOne(x: T): T;
  /** [b, h, w, k size] each -> [b, all cells of all maps, size]. */
  joinCells(maps: readonly T[], size: number): T;
}

/** A network described once for every kind of operations. */
export interface NetworkDescription {
  readonly head: DetectionHead;
  /** Picture [b, size, size, 3] in 0..255 -> outputs. */
  build<T>(operations: NetworkOperations<T>, picture: T): T[];
  /** Frees the weights. */
  dispose(): void;
}
