/**
 * Times one face shape model with ONNX Runtime, TensorFlow.js on wasm and PyTorch on the same number of threads.
 * The contestants take turns; medians, quartiles and ratios are printed as a Markdown table. Besides wall time
 * the table has processor time, which on one thread says the same on a busy machine as on an idle one.
 *
 * usage: npx tsx --conditions=voxface-source packages/onnx/bench/compare-runtimes.ts
 *          [--preset paper] [--batch 1] [--threads 2] [--rounds 9] [--python PYTHON] [--wasm] [--json FILE]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { rand, type Tensor4D, tidy } from '@tensorflow/tfjs-core';
import { createRandom } from '@voxface/landmarks';
import {
  createFaceShapeModel,
  estimateFlatVolumes,
  type PresetName,
  regressCoordinates,
} from '@voxface/models';
import * as ort from 'onnxruntime-node';
import { type ExportOnnxOptions, exportOnnx } from '../src/index.ts';

/** Milliseconds of one pass: by the clock, and of all threads of the process. */
interface Duration {
  readonly wall: number;
  readonly cpu: number;
}

interface Contestant {
  readonly name: string;
  run(): Promise<Duration>;
  close(): void;
}

const { values: flags } = parseArgs({
  options: {
    preset: { type: 'string', default: 'paper' },
    batch: { type: 'string', default: '1' },
    threads: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '9' },
    python: { type: 'string' },
    wasm: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
});
const [batch, threads, rounds] = [flags.batch, flags.threads, flags.rounds].map(Number);

await useTensorflow(flags.wasm);
const model = createFaceShapeModel(flags.preset as PresetName);
const { inputSize } = model.options;

async function useTensorflow(wasm: boolean): Promise<void> {
  const { ready, setBackend } = await import('@tensorflow/tfjs-core');
  if (wasm) {
    const { setThreadsCount } = await import('@tensorflow/tfjs-backend-wasm');
    setThreadsCount(threads);
    await setBackend('wasm');
  } else {
    await import('@tensorflow/tfjs-backend-cpu');
    await setBackend('cpu');
  }
  await ready();
}

async function timed(work: () => Promise<void>): Promise<Duration> {
  const [start, busy] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(busy);
  return { wall: performance.now() - start, cpu: (user + system) / 1000 };
}

async function onnx(name: string, options: ExportOnnxOptions): Promise<Contestant> {
  const session = await ort.InferenceSession.create(await exportOnnx(model, options), {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
  });
  const random = createRandom(1);
  const values = Float32Array.from({ length: batch * inputSize ** 2 * 3 }, () => random.next());
  const image = new ort.Tensor('float32', values, [batch, inputSize, inputSize, 3]);
  return {
    name,
    run: () => timed(async () => void (await session.run({ image }, ['landmarks']))),
    close: () => void session.release(),
  };
}

function wasm(): Contestant {
  const images = rand([batch, inputSize, inputSize, 3], createRandom(1).next) as Tensor4D;
  return {
    name: 'TensorFlow.js wasm',
    run: () =>
      timed(async () => {
        const points = tidy(() => regressCoordinates(model, estimateFlatVolumes(model, images), images));
        await points.data();
        points.dispose();
      }),
    close: () => images.dispose(),
  };
}

async function torch(name: string, python: string, freeze: boolean): Promise<Contestant> {
  const script = fileURLToPath(new URL('../../../scripts/bench/torch_face_shape.py', import.meta.url));
  const child: ChildProcess = spawn(python, [script, String(threads)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const ask = async (order: object): Promise<Duration> => {
    child.stdin!.write(`${JSON.stringify(order)}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error(`${name}: the Python process ended`);
    return JSON.parse(value);
  };
  await ask({ load: model.options, freeze });
  return { name, run: () => ask({ run: batch }), close: () => child.stdin!.end() };
}

const contestants = [
  await onnx('ONNX Runtime', { volume: false }),
  await onnx('ONNX Runtime, with volume output', { volume: true }),
  ...(flags.python
    ? [await torch('PyTorch', flags.python, false), await torch('PyTorch, frozen', flags.python, true)]
    : []),
  ...(flags.wasm ? [wasm()] : []),
];
const times = new Map(contestants.map(({ name }) => [name, [] as Duration[]]));
const load = loadavg()[0];
for (let round = -2; round < rounds; round++) {
  for (const contestant of contestants) {
    const duration = await contestant.run();
    if (round >= 0) times.get(contestant.name)!.push(duration);
  }
}

const quantile = (values: number[], q: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.round(q * (sorted.length - 1))];
};
const first = times.get(contestants[0].name)!;
const rows = contestants.map(({ name }) => {
  const own = times.get(name)!;
  const column = (key: keyof Duration) => {
    const values = own.map((duration) => duration[key]);
    const ratios = own.map((duration, i) => duration[key] / first[i][key]);
    return {
      median: quantile(values, 0.5),
      low: quantile(values, 0.25),
      high: quantile(values, 0.75),
      ratio: quantile(ratios, 0.5),
    };
  };
  return { name, wall: column('wall'), cpu: column('cpu') };
});
console.log(
  `preset ${flags.preset}, batch ${batch}, ${threads} threads, ${rounds} rounds, load average at the start ${load.toFixed(1)}\n`,
);
console.log(
  '| runtime | wall ms (quartiles) | over the first | processor ms (quartiles) | over the first |\n|---|---|---|---|---|',
);
for (const { name, wall: w, cpu } of rows) {
  const cells = [w, cpu].map(
    ({ median, low, high, ratio }) =>
      `${median.toFixed(1)} (${low.toFixed(1)} .. ${high.toFixed(1)}) | ${ratio.toFixed(2)}`,
  );
  console.log(`| ${name} | ${cells.join(' | ')} |`);
}
if (flags.json) writeFileSync(flags.json, `${JSON.stringify({ ...flags, load, rows }, null, 2)}\n`);
for (const contestant of contestants) contestant.close();
model.dispose();
