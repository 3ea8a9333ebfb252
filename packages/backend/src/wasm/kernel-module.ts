import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type { KernelFunc, TensorInfo } from '@tensorflow/tfjs-core';
import type { KernelReplacement } from '../register-kernels.ts';
import { KERNEL_BINARIES, type KernelVariant } from './kernel-binaries.generated.ts';

/** The functions of packages/backend/kernels/*.c; pointers are byte offsets into the backend's own memory. */
type Call = (...pointersAndSizes: number[]) => void;

interface KernelFunctions {
  __stack_pointer: WebAssembly.Global;
  pack_weights: Call;
  pad_input: Call;
  convolve: Call;
  filter_gradient: Call;
  winograd_weights: Call;
  winograd_convolve: Call;
  winograd_filter_gradient: Call;
  max_pool: Call;
  max_pool_gradient: Call;
  segment_sum: Call;
  row_times_matrix: Call;
  row_times_transposed: Call;
  sum_middle: Call;
  scale_rows: Call;
  fold_normalization: Call;
  moments: Call;
  normalization_gradient: Call;
  rectifier_gradient: Call;
  copy_box: Call;
  nearest_gradient: Call;
}

/** The parts of the wasm backend that the kernels reach into (stable in TensorFlow.js 4.x). */
interface BackendInternals {
  wasm: {
    asm?: Record<string, unknown>;
    wasmMemory?: unknown;
    _malloc(bytes: number): number;
    _free(pointer: number): void;
    HEAPU8: Uint8Array;
    tfjs: { getThreadsCount(): number };
  };
  dataIdMap: { get(dataId: object): { memoryOffset: number }; has(dataId: object): boolean };
  makeOutput(shape: number[], dtype: 'float32' | 'int32'): TensorInfo;
}

/** Our kernels, working in place on the tensors of one wasm backend. */
export interface KernelModule {
  readonly functions: KernelFunctions;
  readonly variant: KernelVariant;
  /** Threads that the backend's own kernels compute with; ours compute on one. */
  readonly threads: number;
  /** Byte offset of a tensor's values. */
  pointer(tensor: TensorInfo): number;
  /** New tensor of that shape (float32 unless told), not initialized. */
  output(shape: number[], dtype?: 'float32' | 'int32'): TensorInfo;
  /** Runs `body` with an allocator of scratch memory (bytes in, byte offset out), all of it freed at the end. */
  scratch<T>(body: (allocate: (bytes: number) => number) => T): T;
  /**
   * Weights whose values stay as they are until they are released: kernels keep what they pack of them. Counts; by the byte
   * offset of the tensor.
   */
  retain(tensor: TensorInfo): void;
  release(tensor: TensorInfo): void;
  /**
   * Packed form of the weights at a byte offset, made by `pack` at the first call where they are retained, in scratch
   * memory of the caller where they are not.
   */
  packed(
    weights: number,
    form: string,
    bytes: number,
    allocate: (bytes: number) => number,
    pack: (target: number) => void,
  ): number;
  /** Copies bytes between byte offsets. */
  copy(from: number, to: number, bytes: number): void;
  /** Writes float32 zeros at a byte offset. */
  writeZeros(pointer: number, count: number): void;
  /** Writes 32-bit floats at a byte offset. */
  writeFloats(pointer: number, values: readonly number[]): void;
  /** Writes 32-bit integers at a byte offset. */
  writeInts(pointer: number, values: readonly number[]): void;
}

const STACK_BYTES = 16_384;
const modules = new WeakMap<object, KernelModule>();

function findMemory(wasm: BackendInternals['wasm']): WebAssembly.Memory {
  const candidates: unknown[] = [wasm.wasmMemory, ...Object.values(wasm.asm ?? {})];
  for (const candidate of candidates) {
    if (candidate instanceof WebAssembly.Memory) return candidate;
  }
  throw new Error(
    'registerWasmKernels: the memory of the wasm backend must be reachable, found none (use @tensorflow/tfjs-backend-wasm 4.22)',
  );
}

function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** Compiles the fused multiply-add variant where the engine knows relaxed SIMD, else the plain one. */
function compile(memory: WebAssembly.Memory): { module: WebAssembly.Module; variant: KernelVariant } {
  const isShared = typeof SharedArrayBuffer !== 'undefined' && memory.buffer instanceof SharedArrayBuffer;
  const relaxed = isShared ? 'sharedRelaxed' : 'plainRelaxed';
  const bytes = decodeBase64(KERNEL_BINARIES[relaxed]);
  if (WebAssembly.validate(bytes)) return { module: new WebAssembly.Module(bytes), variant: relaxed };
  const variant = isShared ? 'shared' : 'plain';
  return { module: new WebAssembly.Module(decodeBase64(KERNEL_BINARIES[variant])), variant };
}

function createModule(backend: BackendInternals): KernelModule {
  const { wasm } = backend;
  const memory = findMemory(wasm);
  const { module, variant } = compile(memory);
  const instance = new WebAssembly.Instance(module, { env: { memory } });
  const functions = instance.exports as unknown as KernelFunctions;
  functions.__stack_pointer.value = ((wasm._malloc(STACK_BYTES) + STACK_BYTES) >>> 4) << 4;
  const { dataIdMap } = backend;
  const retained = createRetained({
    malloc: (bytes) => wasm._malloc(bytes),
    free: (pointer) => wasm._free(pointer),
    offsetOf: (dataId) => (dataIdMap.has(dataId) ? dataIdMap.get(dataId).memoryOffset : undefined),
  });
  return {
    functions,
    variant,
    retain: ({ dataId }) => retained.retain(dataId),
    release: ({ dataId }) => retained.release(dataId),
    packed: retained.packed,
    threads: wasm.tfjs.getThreadsCount(),
    pointer: (tensor) => backend.dataIdMap.get(tensor.dataId).memoryOffset,
    output: (shape, dtype = 'float32') => backend.makeOutput(shape, dtype),
    scratch(body) {
      const pointers: number[] = [];
      try {
        return body((bytes) => {
          const pointer = wasm._malloc(bytes) >>> 0;
          if (pointer === 0) {
            throw new Error(`wasm kernels: out of memory, asked for ${bytes} bytes (use smaller batches)`);
          }
          pointers.push(pointer);
          return pointer;
        });
      } finally {
        for (const pointer of pointers) wasm._free(pointer);
      }
    },
    copy(from, to, bytes) {
      new Uint8Array(memory.buffer).copyWithin(to, from, from + bytes);
    },
    writeZeros(pointer, count) {
      new Float32Array(memory.buffer, pointer, count).fill(0);
    },
    writeFloats(pointer, values) {
      new Float32Array(memory.buffer, pointer, values.length).set(values);
    },
    writeInts(pointer, values) {
      new Int32Array(memory.buffer, pointer, values.length).set(values);
    },
  };
}

/**
 * Our compiled kernels for this wasm backend, instantiated on its own memory at the first call.
 *
 * @throws when the backend's memory cannot be reached.
 */
export function kernelModuleOf(backend: unknown): KernelModule {
  const key = backend as BackendWasm;
  let found = modules.get(key);
  if (found === undefined) {
    found = createModule(backend as BackendInternals);
    modules.set(key, found);
  }
  return found;
}

interface Memory {
  malloc(bytes: number): number;
  free(pointer: number): void;
  /** Byte offset of a tensor's values; undefined when another backend has them. */
  offsetOf(dataId: object): number | undefined;
}

interface Retained {
  count: number;
  readonly dataId: object;
  /** Byte offset of the weights when they were retained. */
  readonly weights: number;
  /** Byte offsets of packed forms. */
  readonly forms: Map<string, number>;
}

interface RetainedWeights extends Pick<KernelModule, 'packed'> {
  retain(dataId: object): void;
  release(dataId: object): void;
}

/** Packed forms of weights that are known to stay. */
export function createRetained({ malloc, free, offsetOf }: Memory): RetainedWeights {
  const entries = new Map<object, Retained>();
  const atOffset = new Map<number, Retained>();
  /** Forms of the weights at an offset. Weights that were used on another backend meanwhile have left it to other values. */
  const formsAt = (weights: number): Retained['forms'] | undefined => {
    const entry = atOffset.get(weights);
    return entry && offsetOf(entry.dataId) === weights ? entry.forms : undefined;
  };
  return {
    retain(dataId) {
      const known = entries.get(dataId);
      if (known !== undefined) {
        known.count++;
        return;
      }
      const weights = offsetOf(dataId);
      if (weights === undefined) return;
      const entry = { count: 1, dataId, weights, forms: new Map() };
      entries.set(dataId, entry);
      atOffset.set(weights, entry);
    },
    release(dataId) {
      const entry = entries.get(dataId);
      if (entry === undefined || --entry.count > 0) return;
      for (const pointer of entry.forms.values()) free(pointer);
      entries.delete(dataId);
      if (atOffset.get(entry.weights) === entry) atOffset.delete(entry.weights);
    },
    packed(weights, form, bytes, allocate, pack) {
      const forms = formsAt(weights);
      const known = forms?.get(form);
      if (known !== undefined) return known;
      const target = forms === undefined ? allocate(bytes) : malloc(bytes) >>> 0;
      if (target === 0) {
        throw new Error(`wasm kernels: out of memory, asked for ${bytes} bytes (use smaller batches)`);
      }
      pack(target);
      forms?.set(form, target);
      return target;
    },
  };
}

/** The parts of Node's `process` and `node:v8` used here. */
interface NodeProcess {
  getBuiltinModule?(name: string): { setFlagsFromString(flags: string): void } | undefined;
}

/**
 * Lets Node 20 compile relaxed SIMD (fused multiply-add), which it knows but hides behind a flag; later versions and
 * browsers have it enabled. Elsewhere, or where the flag is unknown, nothing happens and the plain kernels are used.
 */
export function enableRelaxedSimd(): void {
  const { process } = globalThis as { process?: NodeProcess & { versions?: { node?: string } } };
  if (process?.versions?.node?.startsWith('20.') !== true) return;
  process.getBuiltinModule?.('node:v8')?.setFlagsFromString('--experimental-wasm-relaxed-simd');
}

/** What a kernel is called with. */
export interface KernelCall<Inputs, Attributes> {
  inputs: Inputs;
  attrs: Attributes;
  kernels: KernelModule;
}

/**
 * A kernel of ours for the wasm backend.
 *
 * @param run computes the outputs, or returns undefined for a call that the backend's own kernel should serve.
 */
export function defineKernel<Inputs, Attributes>(
  kernelName: string,
  run: (call: KernelCall<Inputs, Attributes>) => TensorInfo | TensorInfo[] | undefined,
): KernelReplacement {
  return {
    kernelName,
    backendName: 'wasm',
    create: (original): KernelFunc => {
      return (params) => {
        const inputs = params.inputs as unknown as Inputs;
        const attrs = params.attrs as unknown as Attributes;
        return run({ inputs, attrs, kernels: kernelModuleOf(params.backend) }) ?? original(params);
      };
    },
  };
}
