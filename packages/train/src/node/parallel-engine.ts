import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';
import type { BackendInfo } from '@voxface/backend';
import { startWorker } from '@voxface/datasets/node';
import type { FaceShapeModelOptions } from '@voxface/models';
import type { TrainingConfig } from '../config.ts';
import type { GradientEngine } from '../engine.ts';
import { type NetworkName, selectNetworks } from '../networks.ts';
import type { PhaseName } from '../phases.ts';
import type { PhaseResult, Replica, StepSamples, StepTimes } from '../replica.ts';

/** Fewer samples than this per worker leave batch normalisation without statistics. */
const FEWEST_SAMPLES = 4;

/**
 * How many workers `workers: 'auto'` stands for: as many as there are cores, as divide the batch, and as leave each at
 * least four samples. One on GPUs, on the slow `cpu` backend, and where micro-batches are accumulated.
 */
export function autoWorkers(
  { batchSize, accumulate, backend }: Pick<TrainingConfig, 'batchSize' | 'accumulate' | 'backend'>,
  { name, tried }: Pick<BackendInfo, 'name' | 'tried'>,
  cores: number = availableParallelism(),
): number {
  // TensorFlow has one name with and without a GPU; `auto` gets to the one without after the other failed.
  const isGpu =
    backend === 'node-gpu' ||
    (backend === 'auto' && !tried.some((candidate) => candidate.name === 'node-gpu'));
  if (accumulate > 1 || (name !== 'wasm' && (name !== 'tensorflow' || isGpu))) return 1;
  let workers = 1;
  for (let count = 2; count <= cores && batchSize / count >= FEWEST_SAMPLES; count++) {
    if (batchSize % count === 0) workers = count;
  }
  return workers;
}

/**
 * Data-parallel engine: this thread's replica and `workers - 1` threads, each with its own backend, each with an equal
 * part of the batch. Gradients are averaged through shared memory, so that the result is that of one replica that
 * accumulates the same parts, up to rounding. Batch normalisation sees one part at a time in both.
 */
export async function createParallelEngine(
  config: TrainingConfig,
  replica: Replica,
  workers: number,
): Promise<GradientEngine> {
  const { networks } = replica;
  const names = Object.keys(networks.weights) as NetworkName[];
  const own = (name: NetworkName) => selectNetworks(networks, [name])[0];
  const allocate = (name: NetworkName) => new SharedArrayBuffer(4 * own(name).trainable.size);
  const parameters = Object.fromEntries(names.map((name) => [name, allocate(name)]));
  const model = networks.model.options;
  const threads = Array.from({ length: workers - 1 }, () => {
    const worker = startWorker('replica-worker', import.meta.url, { workerData: { config, model } });
    const vectors = Object.fromEntries(
      names.map((name): [string, SharedVectors] => [
        name,
        { parameters: parameters[name], gradient: allocate(name) },
      ]),
    ) as Record<NetworkName, SharedVectors>;
    return { call: createCaller(worker), vectors, worker };
  });
  const callAll = <T>(request: ReplicaRequest): Promise<T[]> =>
    Promise.all(threads.map((thread) => thread.call<T>(request)));
  await Promise.all(threads.map((thread) => thread.call({ kind: 'share', vectors: thread.vectors })));
  const share = (name: NetworkName, values: Float32Array): void => {
    new Float32Array(parameters[name]).set(values);
  };
  for (const name of names) {
    share(name, await own(name).trainable.read());
    await callAll({ kind: 'write', name });
    await callAll({ kind: 'write-statistics', name, values: await own(name).statistics.read() });
  }
  return {
    parts: workers,
    async load(parts) {
      const loads = threads.map((thread, i) => thread.call({ kind: 'load', samples: parts[i + 1] }));
      replica.load([parts[0]]);
      await Promise.all(loads);
    },
    async compute(phase, mu) {
      const pending = callAll<WorkerPhaseResult>({ kind: 'compute', phase, mu });
      const results: PhaseResult[] = [await replica.compute(phase, mu)];
      (await pending).forEach(({ losses, names: trained }, i) => {
        const gradients = trained.map((name) => [name, new Float32Array(threads[i].vectors[name].gradient)]);
        results.push({ losses, gradients: Object.fromEntries(gradients) });
      });
      return averageResults(results);
    },
    energy: async () =>
      averageRecords(
        await Promise.all([replica.energy(), callAll<Record<string, number>>({ kind: 'energy' })]).then(
          ([own, others]) => [own, ...others],
        ),
      ),
    async write(name, values) {
      share(name, values);
      const writes = callAll({ kind: 'write', name });
      own(name).trainable.write(values);
      await writes;
    },
    async readStatistics(name) {
      const all = [
        await own(name).statistics.read(),
        ...(await callAll<Float32Array>({ kind: 'read-statistics', name })),
      ];
      return averageVectors(all);
    },
    async writeStatistics(name, values) {
      await callAll({ kind: 'write-statistics', name, values });
      own(name).statistics.write(values);
    },
    takeTimes: () => replica.takeTimes(),
    async close() {
      await callAll({ kind: 'close' });
      await Promise.all(threads.map(({ worker }) => worker.terminate()));
      replica.dispose();
    },
  };
}

/** Requests that are answered in order; a thread that dies rejects those under way. */
function createCaller(worker: Worker): <T>(request: ReplicaRequest) => Promise<T> {
  const waiting: { resolve(value: never): void; reject(error: Error): void }[] = [];
  let dead: Error | undefined;
  const fail = (error: Error): void => {
    dead = error;
    for (const { reject } of waiting.splice(0)) reject(error);
  };
  worker.on('message', (answer: ReplicaAnswer) => {
    const { resolve, reject } = waiting.shift()!;
    if ('error' in answer) reject(new Error(answer.error));
    else resolve(answer.value as never);
  });
  worker.on('error', (error) => fail(new Error(`createParallelEngine: a worker died: ${error.message}`)));
  worker.on('exit', (code) => fail(new Error(`createParallelEngine: a worker ended with code ${code}`)));
  return (request) =>
    new Promise((resolve, reject) => {
      if (dead) return reject(dead);
      waiting.push({ resolve: resolve as (value: never) => void, reject });
      worker.postMessage(request);
    });
}

function averageResults(results: readonly PhaseResult[]): PhaseResult {
  const gradients: PhaseResult['gradients'] = {};
  for (const name of Object.keys(results[0].gradients) as NetworkName[]) {
    gradients[name] = averageVectors(results.map((result) => result.gradients[name]!));
  }
  return { losses: averageRecords(results.map((result) => result.losses)), gradients };
}

/** Mean of vectors of one size, in the memory of the first. */
function averageVectors([mean, ...others]: readonly Float32Array[]): Float32Array {
  const scale = 1 / (others.length + 1);
  others.forEach((vector, k) => {
    const factor = k === others.length - 1 ? scale : 1;
    for (let i = 0; i < mean.length; i++) mean[i] = (mean[i] + vector[i]) * factor;
  });
  return mean;
}

function averageRecords(records: readonly Record<string, number>[]): Record<string, number> {
  const mean: Record<string, number> = {};
  for (const record of records) {
    for (const name in record) mean[name] = (mean[name] ?? 0) + record[name] / records.length;
  }
  return mean;
}

/** What a worker thread is started with. */
export interface ReplicaSetup {
  readonly config: TrainingConfig;
  readonly model: FaceShapeModelOptions;
}

/** Memory that the coordinating thread and one worker share, per network. */
export interface SharedVectors {
  /** Parameters of the run, the same memory for every worker. */
  readonly parameters: SharedArrayBuffer;
  /** The worker's gradient. */
  readonly gradient: SharedArrayBuffer;
}

/** Requests to a worker; each is answered once, in order. */
export type ReplicaRequest =
  | { readonly kind: 'share'; readonly vectors: Readonly<Partial<Record<NetworkName, SharedVectors>>> }
  | { readonly kind: 'load'; readonly samples: StepSamples }
  | { readonly kind: 'compute'; readonly phase: PhaseName; readonly mu: number }
  | { readonly kind: 'write'; readonly name: NetworkName }
  | { readonly kind: 'energy' }
  | { readonly kind: 'read-statistics'; readonly name: NetworkName }
  | { readonly kind: 'write-statistics'; readonly name: NetworkName; readonly values: Float32Array }
  | { readonly kind: 'close' };

/** Result of a computation; the gradients lie in shared memory. */
export interface WorkerPhaseResult {
  readonly losses: Record<string, number>;
  readonly names: readonly NetworkName[];
  readonly times: StepTimes;
}

/** Answers of a worker. */
export type ReplicaAnswer = { readonly value: unknown } | { readonly error: string };
