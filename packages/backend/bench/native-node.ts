/**
 * Speed of the native Node backend, kernel by kernel, and the cost of calling it.
 *
 *     node --conditions=voxface-source --import tsx packages/backend/bench/native-node.ts [threads] [repetitions]
 */
import { cpus } from 'node:os';
import * as tf from '@tensorflow/tfjs-core';
import { loadTfjsNode } from '../src/setup-node.ts';

const threads = process.argv[2] ? Number(process.argv[2]) : undefined;
const repetitions = Number(process.argv[3] ?? 7);
const { tensorflowVersion } = loadTfjsNode({ threads });
const processors = cpus();
console.log(
  `TensorFlow ${tensorflowVersion}, ${threads ?? processors.length} threads, ${processors[0].model}`,
);

interface Timing {
  milliseconds: number;
  /** Least processor time, all threads together: it says the same on a busy machine. */
  processor: number;
}

/** Best wall and processor times of several runs; the result is read, so that the kernel has ended. */
function best(run: () => tf.Tensor): Timing {
  let milliseconds = Number.POSITIVE_INFINITY;
  let processor = Number.POSITIVE_INFINITY;
  for (let i = 0; i <= repetitions; i++) {
    const before = process.cpuUsage();
    const start = performance.now();
    tf.tidy(() => tf.slice(tf.reshape(run(), [-1]), 0, 1).dataSync());
    const elapsed = performance.now() - start;
    const { user, system } = process.cpuUsage(before);
    if (i === 0) continue;
    milliseconds = Math.min(milliseconds, elapsed);
    processor = Math.min(processor, (user + system) / 1e3);
  }
  return { milliseconds, processor };
}

function report(name: string, operations: number, run: () => tf.Tensor): void {
  const { milliseconds, processor } = best(run);
  const perSecond = (time: number): string => (operations / time / 1e6).toFixed(0).padStart(5);
  console.log(
    `${name.padEnd(52)}${milliseconds.toFixed(1).padStart(7)} ms ${perSecond(milliseconds)} GFLOP/s, ` +
      `${perSecond(processor)} per core`,
  );
}

const kernel = (name: string, inputs: tf.NamedTensorMap, attributes: object): tf.Tensor =>
  tf.engine().runKernel(name, inputs, attributes as never) as tf.Tensor;

function convolution(
  rank: 2 | 3,
  batch: number,
  side: number,
  from: number,
  to: number,
  k: number,
  s: number,
): void {
  const cube = (n: number): number[] => Array.from({ length: rank }, () => n);
  const out = Math.ceil(side / s);
  const x = tf.randomNormal([batch, ...cube(side), from]);
  const filter = tf.randomNormal([...cube(k), from, to]);
  const dy = tf.randomNormal([batch, ...cube(out), to]);
  const operations = 2 * batch * out ** rank * k ** rank * from * to;
  const name = `conv${rank}d k${k} s${s} ${from}->${to} ${cube(side).join('x')} batch ${batch}`;
  const attributes = {
    strides: cube(s),
    pad: 'same',
    dilations: cube(1),
    dataFormat: rank === 2 ? 'NHWC' : 'NDHWC',
  };
  const [forward, input, weight] =
    rank === 2
      ? ['Conv2D', 'Conv2DBackpropInput', 'Conv2DBackpropFilter']
      : ['Conv3D', 'Conv3DBackpropInputV2', 'Conv3DBackpropFilterV2'];
  report(`${name} forward`, operations, () => kernel(forward, { x, filter }, attributes));
  report(`${name} input gradient`, operations, () =>
    kernel(input, { dy, filter }, { ...attributes, inputShape: x.shape }),
  );
  report(`${name} filter gradient`, operations, () =>
    kernel(weight, { x, dy }, { ...attributes, filterShape: filter.shape }),
  );
  tf.dispose([x, filter, dy]);
}

convolution(2, 8, 64, 128, 128, 3, 1);
convolution(2, 8, 64, 128, 128, 1, 1);
convolution(2, 8, 32, 64, 64, 3, 1);
convolution(3, 1, 64, 6, 64, 4, 2);
convolution(3, 1, 32, 64, 128, 4, 2);

// Processor time, not wall time, from here on.
const calls = 1000;
const perCall = (timing: Timing): string => `${((1e3 * timing.processor) / calls).toFixed(1)} us`;
const tiny = tf.ones([4]);
const chain = best(() => Array.from({ length: calls }).reduce<tf.Tensor>((sum) => tf.add(sum, tiny), tiny));
console.log(`one small operation: ${perCall(chain)}`);
const scalars = best(() => {
  for (let i = 0; i < calls; i++) tf.reshape(tiny, [2, 2]).dispose();
  return tiny;
});
console.log(`one reshape and its disposal: ${perCall(scalars)}`);
const reads = best(() => {
  for (let i = 0; i < calls; i++) tf.add(tiny, tiny).dataSync();
  return tiny;
});
console.log(`one small operation and its download: ${perCall(reads)}`);
const large = tf.add(tf.ones([16e6]), 1);
const download = best(() => {
  large.dataSync();
  return tiny;
});
console.log(`download: ${(64 / download.processor).toFixed(1)} GB/s (64 MB)`);
const host = new Float32Array(16e6);
const upload = best(() => tf.relu(tf.tensor1d(host)));
console.log(`upload and one pass: ${(64 / upload.processor).toFixed(1)} GB/s (64 MB)`);
