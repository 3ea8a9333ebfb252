/**
 * Where the time of a training step goes, by class of kernel, beside what the machine can do: a table in Markdown. Kernels run one by one
 * (as `execution: 'kernels'`), each call at its fastest of the steps, in processor time, which other work on the machine hardly lengthens.
 *
 *     TF_NUM_INTRAOP_THREADS=1 node --conditions=voxface-source --import tsx packages/train/bench/roofline.ts [PRESET] [BATCH] [BACKEND] [PHASE] [STEPS]
 */
import { matMul, ones, tidy } from '@tensorflow/tfjs-core';
import { setupBackend } from '@voxface/backend';
import { createRunNetworks } from '../src/networks.ts';
import type { PhaseName } from '../src/phases.ts';
import { createRunReplica } from '../src/replica.ts';
import { type AdamState, adamUpdate, createAdamState } from '../src/training-state.ts';
import { benchConfig } from './bench-config.ts';
import { noiseCrops } from './noise-crops.ts';
import { profileKernels } from './profile-kernels.ts';

const [preset = 'small', batch = '12', backend = 'node', phase = 'joint', count = '8'] =
  process.argv.slice(2);
const batchSize = Number(batch);
const steps = Number(count);
/** The first that fits counts. */
const CLASSES: [name: string, pattern: RegExp][] = [
  ['2D convolutions, forward', /^(_?Fused)?Conv2D$/],
  ['2D convolutions, input gradients', /^Conv2DBackpropInput/],
  ['2D convolutions, filter gradients', /^Conv2DBackpropFilter/],
  ['3D convolutions, forward', /^Conv3D$/],
  ['3D convolutions, input gradients', /^Conv3DBackpropInput/],
  ['3D convolutions, filter gradients', /^Conv3DBackpropFilter/],
  ['matrix products', /MatMul/],
  ['batch normalisation, forward', /^(FusedBatchNormV3|NormalizeBatch|FusedBatchNorm)$/],
  ['batch normalisation, backward', /^(FusedBatchNormGradV3|NormalizeBatchGradient)$/],
  ['ReLU and its gradient', /Relu/],
  ['sums of tensors and biases', /^(Add|AddV2|AddN|BiasAdd)$/],
  ['sums over axes, bias gradients', /^(Sum|Mean|BiasAddGrad)$/],
  ['pooling and resizing', /Pool|Resize|UpSampl/i],
  [
    'moves: slices, padding, joins, transposes',
    /Slice|Pad|Concat|Transpose|Pack|Space|Tile|Reverse|StridedSlice|Split|Gather|Cast/,
  ],
  ['other elementwise', /./],
];
await setupBackend(backend as 'node');
const profile = profileKernels(clock);
const peak = measurePeaks();
profile.endStep();
const config = benchConfig(preset, { batchSize, backend, execution: 'kernels' });
const networks = createRunNetworks(config);
const replica = createRunReplica(config, networks);
const { inputSize, landmarks } = networks.model.options;
const samples3d = noiseCrops(batchSize, inputSize, landmarks);
const adam = new Map<string, { values: Float32Array; state: AdamState }>();
const fastest = { whole: Infinity, data: Infinity, optimizer: Infinity };
for (let step = 0; step < 2 + steps; step++) {
  if (step === 2) profile.take();
  const start = clock();
  replica.load([{ samples3d, samples2d: [] }]);
  const loaded = clock();
  const { gradients } = await replica.compute(phase as PhaseName, 0);
  const computed = clock();
  for (const [name, gradient] of Object.entries(gradients)) {
    const { length } = gradient;
    if (!adam.has(name)) adam.set(name, { values: new Float32Array(length), state: createAdamState(length) });
    const { values, state } = adam.get(name)!;
    adamUpdate(values, gradient, state, 1e-6);
  }
  const end = clock();
  profile.endStep();
  fastest.data = Math.min(fastest.data, loaded - start);
  fastest.optimizer = Math.min(fastest.optimizer, end - computed);
  fastest.whole = Math.min(fastest.whole, end - start);
}
const kernels = profile.take();
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const inKernels = sum(kernels.map(({ milliseconds }) => milliseconds));
const js = Math.max(0, fastest.whole - inKernels - fastest.data - fastest.optimizer);
const total = inKernels + fastest.data + fastest.optimizer + js;
console.log(
  `${preset}, ${backend}, ${phase}, batch ${batchSize}: ${total.toFixed(0)} ms of processor time. Peaks: ${peak.gflops.toFixed(0)} GFLOP/s (a product of 1024 x 1024 matrices), ${peak.bandwidth.toFixed(1)} GB/s (a copy of 128 MiB, read and written).\n`,
);
const row = (cells: readonly (string | number)[]): void => console.log(`| ${cells.join(' | ')} |`);
const digits = (value: number, places: number): string => (value > 0 ? value.toFixed(places) : '');
row(['operations', 'calls', 'ms', 'share, %', 'GFLOP', 'GFLOP/s', 'of the peak, %', 'MB', 'GB/s']);
row(Array.from({ length: 9 }, () => '---'));
const left = new Set(kernels);
for (const [name, pattern] of CLASSES) {
  const own = [...left].filter(({ kernel }) => pattern.test(kernel));
  for (const entry of own) left.delete(entry);
  const of = (key: 'calls' | 'milliseconds' | 'gflop' | 'megabytes'): number =>
    sum(own.map((entry) => entry[key]));
  const [ms, gflop, megabytes] = [of('milliseconds'), of('gflop'), of('megabytes')];
  if (ms === 0) continue;
  const rate = gflop / (ms / 1000);
  const cells = [digits(gflop, 2), digits(rate, 0), digits((100 * rate) / peak.gflops, 0)];
  row([
    name,
    of('calls'),
    ms.toFixed(1),
    ((100 * ms) / total).toFixed(1),
    ...cells,
    megabytes.toFixed(0),
    (megabytes / ms).toFixed(1),
  ]);
}
for (const [name, ms] of [
  ['drawing and uploading the batch', fastest.data],
  ['Adam', fastest.optimizer],
  ['JavaScript and what lies between kernels', js],
] as const) {
  row([name, '', ms.toFixed(1), ((100 * ms) / total).toFixed(1), '', '', '', '', '']);
}
const others = kernels.filter(
  ({ kernel }) => CLASSES.findIndex(([, pattern]) => pattern.test(kernel)) === CLASSES.length - 1,
);
console.log(
  `\nother elementwise: ${others
    .slice(0, 8)
    .map(({ kernel, milliseconds }) => `${kernel} ${milliseconds.toFixed(1)}`)
    .join(', ')}`,
);
process.exit(0);

/** Processor time of all threads, milliseconds. */
function clock(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function measurePeaks(): { gflops: number; bandwidth: number } {
  const side = 1024;
  const best = { product: Infinity, copy: Infinity };
  tidy(() => {
    const a = ones([side, side]);
    for (let i = 0; i < 8; i++) {
      const start = clock();
      matMul(a, a).dispose();
      best.product = Math.min(best.product, clock() - start);
    }
  });
  const [from, to] = [new Float32Array(2 ** 25), new Float32Array(2 ** 25)];
  for (let i = 0; i < 8; i++) {
    const start = clock();
    to.set(from);
    best.copy = Math.min(best.copy, clock() - start);
  }
  return { gflops: (2 * side ** 3) / best.product / 1e6, bandwidth: (2 * 4 * 2 ** 25) / best.copy / 1e6 };
}
