// Design. A recording replays the kernels that the engine called, not the layers or the tape: the function itself says what
// happens, so gradients, optimizers and any model come along, and there is no second description of the networks to keep right.
//
// What it gains (docs/performance.md): a face by `small` on wasm takes 19.4 ms instead of 28.3 by layers, a training step
// 859 ms instead of 1032. Folding turns the 420 calls of a prediction into 237 and rounds differently (5e-7 in crop units), so
// only prediction folds: training must compute bit by bit what the tape does (train/test/recorded-phases.test.ts).
//
// What it does not do: on webgl kernels run beside JavaScript, the overhead hides behind them, and nothing is recorded there; on
// webgpu the commands themselves are recorded (gpu/record-commands.ts). A program holds the shapes of its recording; a predictor records once per number of crops.

import {
  backend,
  engine,
  getBackend,
  getKernel,
  keep,
  scalar,
  type Tensor,
  type TensorInfo,
  tidy,
} from '@tensorflow/tfjs-core';
import { foldNormalization } from './fold-normalization.ts';
import { observeKernels } from './observe-kernels.ts';
import {
  type Constant,
  constantTable,
  disposeUnread,
  planCalls,
  type RecordedCall,
  runPlan,
  type View,
} from './plan.ts';

/** A computation as a list of kernel calls: the results of the function it was recorded from, without its overhead. */
export interface Program {
  /** Number of kernel calls of one run. */
  readonly length: number;
  /**
   * Runs the kernels on inputs of the recorded shapes and types, in the order of the recording.
   * @returns the outputs in the order of the recording; the caller disposes them.
   * @throws RangeError when number, shapes or types of the inputs differ; Error on another backend or after `dispose`.
   */
  run(inputs: readonly Tensor[]): Tensor[];
  /** Frees the constants of the recording. */
  dispose(): void;
}

/** Options of a recording. */
export interface ProgramOptions {
  /**
   * Folds batch normalisations and ReLUs into convolutions with constant weights: same values up to rounding, not bit by bit.
   * @default false
   */
  fold: boolean;
}

export const PROGRAM_DEFAULTS: Required<ProgramOptions> = { fold: false };

/** A program, and what its recording computed. */
export interface Recording {
  readonly program: Program;
  /** The outputs of the recorded run; the caller disposes them. */
  readonly outputs: Tensor[];
}

/**
 * Runs a function once on the current backend and records its kernels. TensorFlow.js spends as long on wrapping,
 * counting and disposing tensors, on layers and on the gradient tape as the kernels of a small network take; a program
 * spends none of that. Calls whose results nobody uses are left out, and so are those that only rename a tensor.
 *
 * The function must compute from `inputs` (variables among them count with their values at the start) by the same
 * kernels every time: what depends on other things, random numbers for example, stays as it was in the recording. It may
 * take gradients, and may assign to variables: return their new values, to be assigned again after each run.
 *
 * @throws Error when the function reads values of tensors, or computes some outside the engine's kernels.
 */
export function recordProgram(
  inputs: readonly Tensor[],
  compute: () => readonly Tensor[],
  options: Partial<ProgramOptions> = {},
): Recording {
  const { fold = PROGRAM_DEFAULTS.fold } = options;
  const backendName = getBackend();
  const host = backend();
  const slots = new Map<object, number>();
  const constants: Constant[] = [];
  const calls: RecordedCall[] = [];
  let size = inputs.length;
  inputs.forEach(({ dataId }, slot) => {
    if (!slots.has(dataId)) slots.set(dataId, slot);
  });
  const written = new WeakSet<object>();
  const firstId = newTensorId();
  const view = (info: TensorInfo): View => {
    const { dataId, shape, dtype } = info;
    let slot = slots.get(dataId);
    if (slot === undefined) {
      if (Number((info as Tensor).id) > firstId && !written.has(dataId)) {
        throw new Error(
          `recordProgram: every tensor must come from a kernel, got ${dtype}[${shape.join('x')}] from elsewhere (run the operation through engine().runKernel)`,
        );
      }
      slot = size++;
      slots.set(dataId, slot);
      host.incRef(dataId);
      constants.push({ slot, tensor: keep(engine().makeTensorFromTensorInfo({ dataId, shape, dtype })) });
    }
    return { slot, shape: [...shape], dtype };
  };
  const views: View[] = [];
  const outputs = tidy(() =>
    observeKernels(
      () => {
        const results = compute();
        views.push(...results.map(view));
        return results.map((tensor) => tensor.clone());
      },
      ({ name, kernel, inputs: given, attrs, outputs: results }) => {
        const args = Object.entries(given).flatMap(([key, info]) => (info ? [{ key, ...view(info) }] : []));
        const renamed = renamedSlot(name, args, results, slots);
        if (renamed !== undefined) {
          slots.set(results[0].dataId, renamed);
          return;
        }
        const created = results.map(({ dataId }) => {
          slots.set(dataId, size);
          return size++;
        });
        calls.push({ name, kernel, attrs, isList: Array.isArray(given), args, slots: created });
      },
      (dataId) => written.add(dataId),
    ),
  );
  const kept = fold
    ? foldNormalization(
        calls,
        views,
        constantTable(constants, () => size++),
      )
    : calls;
  const isConstant = new Set(constants.map(({ slot }) => slot));
  const planned = planCalls(kept, views, (slot) => slot >= inputs.length && !isConstant.has(slot));
  disposeUnread(constants, [...views, ...planned.flatMap(({ args }) => args)]);
  const plan = { calls: planned, constants, outputs: views, size };
  const shapes = inputs.map(describeTensor);
  // Backends that can make use of it (`@voxface/backend` on wasm) keep what they pack of the constants.
  const retainWeights = getKernel('RetainWeights', backendName)?.kernelFunc;
  const retain = (weights: Tensor, isRetained: boolean): void => {
    retainWeights?.({ inputs: { weights }, attrs: { isRetained }, backend: host });
  };
  for (const { tensor } of constants) retain(tensor, true);
  let alive = true;
  const program: Program = {
    length: planned.length,
    run(given) {
      if (!alive) throw new Error('Program.run: this program was disposed (record it again)');
      if (backend() !== host) {
        throw new Error(
          `Program.run: recorded on '${backendName}', the backend is now '${getBackend()}' (record it again)`,
        );
      }
      checkInputs(given, shapes);
      return runPlan(plan, given, host);
    },
    dispose() {
      alive = false;
      for (const { tensor } of constants.splice(0)) {
        retain(tensor, false);
        tensor.dispose();
      }
    },
  };
  return { program, outputs };
}

/** Slot of the argument that a call only gives another name: the same data, or a reshape to the shape that it has. */
function renamedSlot(
  name: string,
  args: readonly View[],
  results: readonly TensorInfo[],
  slots: ReadonlyMap<object, number>,
): number | undefined {
  if (results.length !== 1) return undefined;
  const [{ dataId, shape }] = results;
  if (name === 'Reshape' && String(args[0].shape) === String(shape)) return args[0].slot;
  return args.find(({ slot }) => slot === slots.get(dataId))?.slot;
}

function newTensorId(): number {
  const probe = scalar(0);
  probe.dispose();
  return probe.id;
}

/** Throws unless the inputs have the recorded shapes and types. */
export function checkInputs(inputs: readonly Tensor[], expected: readonly string[]): void {
  const got = inputs.map(describeTensor);
  const wrong = expected.findIndex((shape, i) => shape !== got[i]);
  if (wrong < 0 && got.length === expected.length) return;
  throw new RangeError(
    `Program.run: expected ${expected.length} inputs, the ${wrong + 1}th ${expected[wrong]}, got ${got.length} and ${got[wrong]} (record another program for other shapes)`,
  );
}

/** Type and shape, for comparison. */
export function describeTensor({ dtype, shape }: Tensor): string {
  return `${dtype}[${shape.join('x')}]`;
}

/** Backends whose kernels run when they are called; on GPUs the overhead of TensorFlow.js hides behind them. */
const SYNCHRONOUS = ['cpu', 'wasm', 'tensorflow'];

/** Whether `recordProgram` is worth its while on the current backend. */
export function isRecordingFaster(): boolean {
  return SYNCHRONOUS.includes(getBackend());
}
