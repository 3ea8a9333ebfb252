import {
  backend,
  getBackend,
  getKernelsForBackend,
  registerKernel,
  type TensorInfo,
  unregisterKernel,
} from '@tensorflow/tfjs-core';

/** Calls and milliseconds of one kernel in one step. */
export interface KernelTime {
  kernel: string;
  calls: number;
  milliseconds: number;
  /** Billions of multiplications and additions of convolutions and matrix products. */
  gflop: number;
  /** Megabytes of all tensors that it reads and writes, each counted once per call. */
  megabytes: number;
}

/** Times of the calls of several steps. */
export interface KernelProfile {
  /** Ends a step. */
  endStep(): void;
  /**
   * Times per kernel of one step, most expensive first. Steps make the same calls in the same order, so each call
   * counts with its fastest step: that is its time on an idle machine, whatever else runs.
   */
  take(): KernelTime[];
}

interface Call {
  readonly kernel: string;
  readonly milliseconds: number;
  readonly work: Pick<KernelTime, 'gflop' | 'megabytes'>;
}

type Shape = readonly number[];

interface Binding {
  createTensor(shape: number[], ...rest: unknown[]): number;
  executeOp(
    name: string,
    attributes: unknown,
    ids: number[],
    outputs: number,
  ): { id: number; shape: Shape }[];
}

/**
 * Wraps every kernel of the current backend (or every operation of the native one) with a stopwatch. Honest only on
 * backends whose kernels return when they are done (cpu, wasm, native); what a kernel has others do counts for those. Tensors
 * that the native backend made before count no bytes.
 * @param clock milliseconds so far.
 */
export function profileKernels(clock = (): number => performance.now()): KernelProfile {
  let steps: Call[][] = [];
  let calls: Call[] = [];
  let inner = 0;
  const timed = <T>(kernel: string, run: () => T, workOf: (result: T) => Call['work']): T => {
    const outer = inner;
    inner = 0;
    const start = clock();
    const result = run();
    const spent = clock() - start;
    calls.push({ kernel, milliseconds: spent - inner, work: workOf(result) });
    inner = outer + spent;
    return result;
  };
  if (getBackend() === 'tensorflow') {
    const native = backend() as unknown as { binding: Binding };
    const { binding } = native;
    const shapes = new Map<number, Shape>();
    const watched: Binding = {
      createTensor(shape, ...rest) {
        const id = binding.createTensor(shape, ...rest);
        shapes.set(id, [...shape]);
        return id;
      },
      executeOp(name, attributes, ids, outputs) {
        const inputs = ids.map((id) => shapes.get(id) ?? []);
        return timed(
          name,
          () => binding.executeOp(name, attributes, ids, outputs),
          (results) => {
            for (const { id, shape } of results) shapes.set(id, shape);
            return workOfOperation(name, inputs, results);
          },
        );
      },
    };
    native.binding = Object.create(binding, Object.getOwnPropertyDescriptors(watched)) as Binding;
  } else {
    for (const config of getKernelsForBackend(getBackend())) {
      const { kernelName, kernelFunc } = config;
      unregisterKernel(kernelName, getBackend());
      registerKernel({
        ...config,
        kernelFunc: (params) =>
          timed(
            kernelName,
            () => kernelFunc(params),
            (result) => workOfKernel(kernelName, params.inputs as never, [result].flat() as TensorInfo[]),
          ),
      });
    }
  }
  return {
    endStep() {
      steps.push(calls);
      calls = [];
    },
    take() {
      const same = steps.filter((step) => step.length === steps[steps.length - 1].length);
      const totals = new Map<string, KernelTime>();
      same[0].forEach(({ kernel, work }, i) => {
        const entry = totals.get(kernel) ?? { kernel, calls: 0, milliseconds: 0, gflop: 0, megabytes: 0 };
        entry.calls++;
        entry.milliseconds += Math.min(...same.map((step) => step[i].milliseconds));
        entry.gflop += work.gflop;
        entry.megabytes += work.megabytes;
        totals.set(kernel, entry);
      });
      steps = [];
      return [...totals.values()].sort((a, b) => b.milliseconds - a.milliseconds);
    },
  };
}

/** Inputs of TensorFlow's convolutions: (x, filter), (sizes, filter, dy), (x, sizes, dy). */
function workOfOperation(name: string, inputs: readonly Shape[], results: readonly { shape: Shape }[]) {
  const [output] = results;
  const isGradient = /^Conv\dDBackprop/.test(name);
  const [dy, filter] = isGradient ? [inputs[2], inputs[1]] : [output?.shape, inputs[1]];
  return workOf(name, { a: inputs[0], filter, dy, output: output?.shape }, [
    ...inputs,
    ...results.map(({ shape }) => shape),
  ]);
}

function workOfKernel(
  name: string,
  inputs: Readonly<Record<string, TensorInfo>>,
  results: readonly TensorInfo[],
) {
  const shapeOf = (input: TensorInfo | undefined): Shape | undefined => input?.shape;
  const [output] = results;
  const all = [...Object.values(inputs).flat(), ...results].filter(Boolean).map(({ shape }) => shape);
  const filter = shapeOf(inputs.filter ?? inputs.b);
  const dy = shapeOf(inputs.dy) ?? output?.shape;
  return workOf(name, { a: shapeOf(inputs.a ?? inputs.x), filter, dy, output: output?.shape }, all);
}

/** Tensors that only get another shape move nothing. */
const VIEWS = /^(Reshape|Identity|Shape|Const)$/;

function workOf(
  name: string,
  { a = [], filter = [], dy = [], output = [] }: Partial<Record<'a' | 'filter' | 'dy' | 'output', Shape>>,
  all: readonly Shape[],
): Call['work'] {
  const megabytes = VIEWS.test(name) ? 0 : (4 * all.reduce((sum, shape) => sum + sizeOf(shape), 0)) / 1e6;
  const last = (shape: Shape): number => shape[shape.length - 1] ?? 1;
  let products = 0;
  if (/Conv\dDBackpropFilter/.test(name)) products = (sizeOf(dy) * sizeOf(output)) / last(dy);
  else if (/Conv\dDBackpropInput/.test(name)) products = (sizeOf(dy) * sizeOf(filter)) / last(dy);
  else if (/Conv\dD/.test(name)) products = (sizeOf(output) * sizeOf(filter)) / last(output);
  else if (/MatMul/.test(name)) {
    const batches = sizeOf(output.slice(0, -2));
    products = sizeOf(output) * Math.sqrt((sizeOf(a) * sizeOf(filter)) / sizeOf(output) / batches);
  }
  return { gflop: (2 * products) / 1e9, megabytes };
}

function sizeOf(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}
