// Speed of our wasm kernels as shares of the wasm backend's own 3x3 convolution (128 -> 128 channels, 64x64), one thread.
// Run from the repository root:
//   node --import tsx --conditions=voxface-source scripts/backend/measure-kernels.mts [--plain]
// --plain leaves relaxed SIMD off where Node needs a flag for it (Node 20). Times are processor time of this process, so
// that other work on the machine disturbs less; each figure is the best of several runs, taken in turns with the others.
import { createRequire } from 'node:module';

const source = new URL('../../packages/backend/src/', import.meta.url);
const require = createRequire(new URL('index.ts', source));
const tf =
  require('@tensorflow/tfjs-core') as typeof import('../../packages/backend/node_modules/@tensorflow/tfjs-core');
const isPlain = process.argv.includes('--plain');

require('@tensorflow/tfjs-backend-wasm');
const { kernelFunc: own, ...ownConfig } = tf.getKernel('Conv2D', 'wasm')!;
const { setupBackend, registerWasmKernels } = await import(new URL('index.ts', source).href);
if (isPlain) {
  await tf.setBackend('wasm');
  registerWasmKernels();
} else {
  await setupBackend('wasm');
}
// The backend's own convolution, beside ours.
tf.registerKernel({ ...ownConfig, kernelName: 'OwnConv2D', setupFunc: undefined, kernelFunc: own });

interface Task {
  name: string;
  bar: number;
  operations: number;
  run: () => void;
}

const call = (kernel: string, inputs: object, attributes: object) => (): void => {
  tf.tidy(() => void tf.engine().runKernel(kernel, inputs as never, attributes as never));
};

const tasks: Task[] = [];
const image = tf.randomNormal([1, 64, 64, 128]);
for (const size of [3, 1]) {
  const filter = tf.randomNormal([size, size, 128, 128]);
  const a = { strides: 1, pad: 'same', dataFormat: 'NHWC', dilations: 1 };
  const operations = 2 * 64 * 64 * 128 * 128 * size * size;
  const label = `conv2d ${size}x${size}`;
  if (size === 3) {
    tasks.push({
      name: "the backend's own 3x3 forward",
      bar: 1,
      operations,
      run: call('OwnConv2D', { x: image, filter }, a),
    });
  }
  tasks.push(
    { name: `${label} forward`, bar: 0, operations, run: call('Conv2D', { x: image, filter }, a) },
    {
      name: `${label} input gradient`,
      bar: 0.85,
      operations,
      run: call('Conv2DBackpropInput', { dy: image, filter }, { ...a, inputShape: image.shape }),
    },
    {
      name: `${label} filter gradient`,
      bar: 0.6,
      operations,
      run: call('Conv2DBackpropFilter', { x: image, dy: image }, { ...a, filterShape: filter.shape }),
    },
  );
}
for (const [size, from, to] of [
  [64, 6, 64],
  [32, 64, 128],
]) {
  const half = size / 2;
  const x = tf.randomNormal([1, size, size, size, from]);
  const filter = tf.randomNormal([4, 4, 4, from, to]);
  const dy = tf.randomNormal([1, half, half, half, to]);
  const a = { strides: 2, pad: 'same', dataFormat: 'NDHWC', dilations: 1 };
  const operations = 2 * half ** 3 * 64 * from * to;
  const label = `conv3d k4 s2 ${from}->${to} at ${size}^3`;
  tasks.push(
    { name: `${label} forward`, bar: 0.6, operations, run: call('Conv3D', { x, filter }, a) },
    {
      name: `${label} input gradient`,
      bar: 0.5,
      operations,
      run: call('Conv3DBackpropInputV2', { dy, filter }, { ...a, inputShape: x.shape }),
    },
    {
      name: `${label} filter gradient`,
      bar: 0.5,
      operations,
      run: call('Conv3DBackpropFilterV2', { x, dy }, { ...a, filterShape: filter.shape }),
    },
  );
}

const best = tasks.map(() => Number.POSITIVE_INFINITY);
for (let round = 0; round < 8; round++) {
  for (const [index, task] of tasks.entries()) {
    const before = process.cpuUsage();
    task.run();
    best[index] = Math.min(best[index], process.cpuUsage(before).user / 1000);
  }
}
const speeds = tasks.map((task, index) => task.operations / best[index] / 1e6);
console.log('| kernel | GFLOP/s | share of the own 3x3 forward | bar |');
console.log('|---|---|---|---|');
for (const [index, { name, bar }] of tasks.entries()) {
  const share = (speeds[index] / speeds[0]).toFixed(2);
  console.log(`| ${name} | ${speeds[index].toFixed(1)} | ${share} | ${bar || ''} |`);
}
process.exit(0);
