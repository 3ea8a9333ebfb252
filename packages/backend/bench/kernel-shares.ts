import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';

interface Task {
  name: string;
  /** Least share of the backend's own 3x3 forward that is asked for. */
  bar?: number;
  operations: number;
  run: () => void;
  /** Processor times, in milliseconds. */
  times: number[];
}

/** Speeds of the wasm training kernels, to be measured in rounds. */
export interface KernelShares {
  /** Runs every kernel once, one after the other. */
  runRound(): void;
  /** Forgets what was measured so far. */
  reset(): void;
  /** Medians as a Markdown table. */
  format(): string;
}

const OWN = 'OwnConv2D';

function call(kernel: string, inputs: object, attributes: object): () => void {
  return () => {
    tf.tidy(() => {
      tf.engine().runKernel(kernel, inputs as tf.NamedTensorMap, attributes as tf.NamedAttrMap);
    });
  };
}

function tasks2D(): Task[] {
  const x = tf.randomNormal([1, 64, 64, 128]);
  const attributes = { strides: 1, pad: 'same', dataFormat: 'NHWC', dilations: 1 };
  return [3, 1].flatMap((size) => {
    const filter = tf.randomNormal([size, size, 128, 128]);
    const task = (name: string, run: () => void, bar?: number): Task => {
      const operations = 2 * 64 * 64 * 128 * 128 * size * size;
      return { name: `conv2d ${size}x${size} ${name}`, bar, operations, run, times: [] };
    };
    const toInput = { ...attributes, inputShape: x.shape };
    const toFilter = { ...attributes, filterShape: filter.shape };
    return [
      ...(size === 3 ? [task("forward, the backend's own", call(OWN, { x, filter }, attributes), 1)] : []),
      task('forward', call('Conv2D', { x, filter }, attributes)),
      task('input gradient', call('Conv2DBackpropInput', { dy: x, filter }, toInput), 0.85),
      task('filter gradient', call('Conv2DBackpropFilter', { x, dy: x }, toFilter), 0.6),
    ];
  });
}

function tasks3D(size: number, from: number, to: number): Task[] {
  const half = size / 2;
  const x = tf.randomNormal([1, size, size, size, from]);
  const filter = tf.randomNormal([4, 4, 4, from, to]);
  const dy = tf.randomNormal([1, half, half, half, to]);
  const attributes = { strides: 2, pad: 'same', dataFormat: 'NDHWC', dilations: 1 };
  const toInput = { ...attributes, inputShape: x.shape };
  const toFilter = { ...attributes, filterShape: filter.shape };
  const task = (name: string, run: () => void, bar: number): Task => {
    const operations = 2 * half ** 3 * 64 * from * to;
    return { name: `conv3d k4 s2 ${from}->${to} at ${size}^3 ${name}`, bar, operations, run, times: [] };
  };
  return [
    task('forward', call('Conv3D', { x, filter }, attributes), 0.6),
    task('input gradient', call('Conv3DBackpropInputV2', { dy, filter }, toInput), 0.5),
    task('filter gradient', call('Conv3DBackpropFilterV2', { x, dy }, toFilter), 0.5),
  ];
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

/**
 * Prepares our kernels beside the backend's own 3x3 convolution (128 -> 128 channels at 64x64), which is the measure of
 * all of them. One thread; times are processor time of this process, so that other work on the machine disturbs less.
 *
 * @param prepare makes wasm current with our kernels; the backend's own are registered when it is called.
 */
export async function prepareKernelShares(prepare: () => Promise<unknown>): Promise<KernelShares> {
  const { kernelFunc, kernelName: _, backendName } = tf.getKernel('Conv2D', 'wasm');
  await prepare();
  tf.registerKernel({ kernelName: OWN, backendName, kernelFunc });
  const tasks = [...tasks2D(), ...tasks3D(64, 6, 64), ...tasks3D(32, 64, 128)];
  return {
    runRound() {
      for (const task of tasks) {
        const before = process.cpuUsage();
        task.run();
        const { user, system } = process.cpuUsage(before);
        task.times.push((user + system) / 1e3);
      }
    },
    reset() {
      for (const task of tasks) task.times.length = 0;
    },
    format() {
      const speeds = tasks.map(({ operations, times }) => operations / median(times) / 1e6);
      const rows = tasks.map(({ name, bar }, i) => {
        const share = (speeds[i] / speeds[0]).toFixed(2);
        return `| ${name} | ${speeds[i].toFixed(1)} | ${share} | ${bar?.toFixed(2) ?? ''} |`;
      });
      const rounds = `medians of ${tasks[0].times.length} rounds`;
      return ['', `| kernel, ${rounds} | GFLOP/s | share | bar |`, '|---|---|---|---|', ...rows].join('\n');
    },
  };
}
