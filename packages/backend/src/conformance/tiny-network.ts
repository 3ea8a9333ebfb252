import {
  add,
  concat,
  mean,
  memory,
  reshape,
  type Scalar,
  setBackend,
  square,
  sub,
  sum,
  type Tensor,
  type Tensor4D,
  tensor,
  tidy,
  train,
  type Variable,
} from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { normalValues } from './case.ts';

const SIZE = 16;
const BATCH = 2;

/**
 * A network of the kind that voxface trains, as small as it goes: strided convolution, batch normalization, an hourglass
 * step (pooling, upsampling, skip), a volume head, and a 3D regressor on the volume.
 */
function createTinyNetwork(): tfl.LayersModel {
  const image = tfl.input({ shape: [SIZE, SIZE, 3] });
  // No bias in front of a normalization: its gradient is rounding noise, which Adam would blow up.
  const conv = (filters: number, kernelSize: number, strides: number, useBias: boolean) =>
    tfl.layers.conv2d({ filters, kernelSize, strides, useBias, padding: 'same' });
  const normalize = () => tfl.layers.batchNormalization({ momentum: 0.9, epsilon: 1e-5 });
  let x = conv(8, 7, 2, false).apply(image) as tfl.SymbolicTensor;
  x = tfl.layers.reLU().apply(normalize().apply(x)) as tfl.SymbolicTensor;
  const skip = conv(6, 1, 1, true).apply(x);
  let low = tfl.layers.maxPooling2d({ poolSize: 2 }).apply(x);
  low = tfl.layers.leakyReLU({ alpha: 0.1 }).apply(normalize().apply(conv(6, 3, 1, false).apply(low)));
  const up = tfl.layers.upSampling2d({ size: [2, 2] }).apply(low);
  const joined = tfl.layers.add().apply([skip as tfl.SymbolicTensor, up as tfl.SymbolicTensor]);
  const volume = conv(24, 1, 1, true).apply(joined) as tfl.SymbolicTensor;
  const cube = tfl.layers.reshape({ targetShape: [8, 8, 8, 3] }).apply(volume);
  let y = tfl.layers.conv3d({ filters: 4, kernelSize: 4, strides: 2, padding: 'same' }).apply(cube);
  y = tfl.layers.leakyReLU({ alpha: 0.1 }).apply(y);
  y = tfl.layers.conv3d({ filters: 5, kernelSize: 4, padding: 'valid' }).apply(y);
  y = tfl.layers.dense({ units: 6 }).apply(tfl.layers.flatten().apply(y)) as tfl.SymbolicTensor;
  return tfl.model({ inputs: image, outputs: [volume, y as tfl.SymbolicTensor] });
}

function seedWeights(network: tfl.LayersModel): void {
  const initial = network.getWeights();
  const values = network.weights.map((weight, index) => {
    const count = initial[index].size;
    const isKernel = weight.originalName.endsWith('kernel');
    if (!isKernel) return initial[index].clone();
    const fanIn = initial[index].shape.slice(0, -1).reduce((product: number, size) => product * size, 1);
    const drawn = normalValues(count, 5 + index).map((value) => value * Math.sqrt(1 / fanIn));
    return tensor(drawn, initial[index].shape);
  });
  network.setWeights(values);
  for (const value of values) value.dispose();
}

/** What a few training steps of the tiny network leave behind. */
export interface TinyTraining {
  losses: number[];
  /** Network outputs after training, one array. */
  prediction: Float32Array;
  /** Tensors left over by the last step; 0 without a leak. */
  leakedTensors: number;
}

/** Trains the tiny network for some steps with Adam on seeded data, then predicts. */
export async function trainTinyNetwork(backend: string, steps: number = 3): Promise<TinyTraining> {
  await setBackend(backend);
  const network = createTinyNetwork();
  seedWeights(network);
  const optimizer = train.adam(1e-2);
  const images = tensor(normalValues(BATCH * SIZE * SIZE * 3, 1), [BATCH, SIZE, SIZE, 3]) as Tensor4D;
  const target = tensor(normalValues(BATCH * 6, 2), [BATCH, 6]);
  const losses: number[] = [];
  let leakedTensors = 0;
  for (let step = 0; step < steps; step++) {
    const before = memory().numTensors;
    const cost = optimizer.minimize(
      () =>
        tidy(() => {
          const [volume, shape] = network.apply(images, { training: true }) as Tensor[];
          return add(mean(square(volume)), sum(square(sub(shape, target)))) as Scalar;
        }),
      true,
      network.trainableWeights.map((weight) => weight.read() as Variable),
    )!;
    losses.push((await cost.data())[0]);
    cost.dispose();
    leakedTensors = memory().numTensors - before;
  }
  const predicted = tidy(() =>
    concat((network.predict(images) as Tensor[]).map((output) => reshape(output, [-1]))),
  );
  const prediction = await predicted.data<'float32'>();
  predicted.dispose();
  images.dispose();
  target.dispose();
  optimizer.dispose();
  network.dispose();
  return { losses, prediction, leakedTensors };
}
