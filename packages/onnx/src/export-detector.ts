import type { Tensor } from '@tensorflow/tfjs-core';
import {
  type ConvolutionOptions,
  describeFaceApiNetwork,
  type FaceApiDetectorOptions,
  type NetworkOperations,
} from '@voxface/models/face-api';
import { BATCH, type OnnxPrecision, OPSET, storeWeights } from './finish-graph.ts';
import { encodeModel } from './format/encode-model.ts';
import { GraphBuilder } from './graph/graph-builder.ts';
import { transposeWeights } from './layers/layer-call.ts';
import { writeDetectorHead } from './metadata.ts';

/** Options of `exportDetector`. */
export interface ExportDetectorOptions
  extends Pick<FaceApiDetectorOptions, 'network' | 'inputSize' | 'modelUrl'> {
  /**
   * How weights are stored; the graph computes in float32 either way.
   * @default 'float32'
   */
  precision?: OnnxPrecision;
}

/** Both networks halve their maps five times before the last is used. */
const STEP = 32;

/**
 * Reads the weights of one of `@vladmandic/face-api`'s detectors and writes its network as ONNX, for
 * `createOnnxDetector`: `picture` [b, h, w, 3] in 0..255, h and w multiples of 32 up to the network's input size -> the outputs
 * that the file's metadata describe.
 * @throws RangeError for an unknown network; Error when the weights cannot be found.
 */
export async function exportDetector(options: ExportDetectorOptions = {}): Promise<Uint8Array> {
  const { precision = 'float32', ...source } = options;
  const description = await describeFaceApiNetwork(source);
  try {
    const { head, build } = description;
    const builder = new GraphBuilder();
    const picture = builder.unique('picture');
    const weights = await readWeights(build);
    const moved = builder.node('Transpose', [picture], 'picture_moved', { perm: [0, 3, 1, 2] });
    const results = build(graphOperations(builder, weights), { name: moved });
    const initializers = [...builder.initializers.values()];
    const stored = storeWeights(initializers, precision);
    return encodeModel({
      name: `detector_${head.kind}`,
      description: "One of face-api's face detectors (MIT); written by @voxface/onnx",
      metadata: writeDetectorHead({ ...head, step: STEP }),
      opset: OPSET,
      nodes: [...stored.nodes, ...builder.nodes],
      initializers: stored.initializers,
      inputs: [{ name: picture, type: 'float32', dims: [BATCH, 'height', 'width', 3] }],
      outputs: results.map(({ name, size = 0 }) => ({
        name,
        type: 'float32',
        dims: [BATCH, 'cells', size],
      })),
    });
  } finally {
    description.dispose();
  }
}

/** A tensor of the graph, channels first; joined cells know the size of one. */
interface Node {
  readonly name: string;
  readonly size?: number;
}

type Weights = ReadonlyMap<Tensor, Float32Array>;

/** Downloads every tensor that the network is built of; some backends can only be read asynchronously. */
async function readWeights(
  build: <T>(operations: NetworkOperations<T>, picture: T) => T[],
): Promise<Weights> {
  const tensors = new Set<Tensor>();
  const collect = (_: null, { filter, bias }: ConvolutionOptions): null => {
    tensors.add(filter);
    if (bias) tensors.add(bias);
    return null;
  };
  const none = (): null => null;
  build<null>(
    {
      convolve: collect,
      convolveDepthwise: collect,
      rescale: none,
      maxPool: none,
      padOne: none,
      joinCells: none,
    },
    null,
  );
  const read = async (tensor: Tensor) => [tensor, (await tensor.data()) as Float32Array] as const;
  return new Map(await Promise.all([...tensors].map(read)));
}

/**
 * Writes nodes. Borders are put at the end of an axis where the stride is 2, as TensorFlow puts them for even sizes, so that cell i
 * of a map sees the same pixels whatever the size of the picture.
 */
function graphOperations(builder: GraphBuilder, weights: Weights): NetworkOperations<Node> {
  const constant = (hint: string, value: number): string => builder.floats(hint, [], [value]);
  const convolve = (
    { name }: Node,
    { filter, bias, strides = 1, pad, activation = 'linear' }: ConvolutionOptions,
    perm: readonly number[],
    group: number,
    hint: string,
  ): Node => {
    const { data, shape } = transposeWeights(weights.get(filter)!, filter.shape, perm);
    const [kernel] = filter.shape;
    const border = pad === 'valid' ? 0 : kernel - 1;
    const before = strides === 1 ? border / 2 : 0;
    const inputs = [name, builder.floats(`${hint}_kernel`, shape, data)];
    if (bias) inputs.push(builder.floats(`${hint}_bias`, bias.shape, weights.get(bias)!));
    const result = builder.node('Conv', inputs, hint, {
      kernel_shape: [kernel, kernel],
      strides: [strides, strides],
      pads: [before, before, border - before, border - before],
      group,
    });
    if (activation === 'linear') return { name: result };
    return {
      name:
        activation === 'relu6'
          ? builder.node('Clip', [result, constant('zero', 0), constant('six', 6)], `${hint}_clipped`)
          : builder.node('LeakyRelu', [result], `${hint}_leaky`, { alpha: { float: 0.1 } }),
    };
  };
  return {
    convolve: (x, options) => convolve(x, options, [3, 2, 0, 1], 1, 'convolution'),
    convolveDepthwise: (x, options) =>
      convolve(x, options, [2, 3, 0, 1], options.filter.shape[2], 'depthwise'),
    rescale: ({ name }, scale, offset) => {
      const scaled = builder.node('Mul', [name, constant('scale', scale)], 'scaled');
      return { name: builder.node('Add', [scaled, constant('offset', offset)], 'shifted') };
    },
    maxPool: ({ name }, size, strides) => ({
      name: builder.node('MaxPool', [name], 'pooled', {
        kernel_shape: [size, size],
        strides: [strides, strides],
        pads: [0, 0, size - 1, size - 1],
      }),
    }),
    padOne: ({ name }) => ({
      name: builder.node('Pad', [name, builder.integers([0, 0, 1, 1, 0, 0, 1, 1])], 'bordered', {
        mode: 'constant',
      }),
    }),
    joinCells: (maps, size) => {
      const shape = builder.integers([0, -1, size]);
      const cells = maps.map(({ name }) => {
        const moved = builder.node('Transpose', [name], 'cells_moved', { perm: [0, 2, 3, 1] });
        return builder.node('Reshape', [moved, shape], 'cells');
      });
      return {
        name: cells.length === 1 ? cells[0] : builder.node('Concat', cells, 'all_cells', { axis: 1 }),
        size,
      };
    },
  };
}
