import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { KERNEL_BINARIES, type KernelVariant } from './kernel-binaries.ts';

/** The functions of packages/backend/kernels/*.c; pointers are byte offsets into the backend's own memory. */
interface KernelFunctions {
  __stack_pointer: WebAssembly.Global;
  pack_weights(source: number, target: number, ...sizesAndStrides: number[]): void;
  pad_input(source: number, target: number, ...sizes: number[]): void;
  convolve(plan: number, offsets: number): void;
  filter_gradient(plan: number, scratch: number): void;
  max_pool(plan: number): void;
  max_pool_gradient(plan: number): void;
  segment_sum(
    input: number,
    ids: number,
    output: number,
    count: number,
    width: number,
    segments: number,
  ): void;
}

/** The parts of the wasm backend that the kernels reach into (stable in TensorFlow.js 4.x). */
interface BackendInternals {
  wasm: {
    asm?: Record<string, unknown>;
    wasmMemory?: unknown;
    _malloc(bytes: number): number;
    _free(pointer: number): void;
    HEAPU8: Uint8Array;
  };
  dataIdMap: { get(dataId: object): { memoryOffset: number } };
  makeOutput(shape: number[], dtype: 'float32'): TensorInfo;
}

/** Our kernels, working in place on the tensors of one wasm backend. */
export interface KernelModule {
  readonly functions: KernelFunctions;
  readonly variant: KernelVariant;
  /** Byte offset of a tensor's values. */
  pointer(tensor: TensorInfo): number;
  /** New float32 tensor of that shape, not initialized. */
  output(shape: number[]): TensorInfo;
  /** Runs `body` with an allocator of scratch memory (bytes in, byte offset out), all of it freed at the end. */
  scratch<T>(body: (allocate: (bytes: number) => number) => T): T;
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
  return {
    functions,
    variant,
    pointer: (tensor) => backend.dataIdMap.get(tensor.dataId).memoryOffset,
    output: (shape) => backend.makeOutput(shape, 'float32'),
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
