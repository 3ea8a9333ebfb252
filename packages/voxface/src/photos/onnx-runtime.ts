import type { OnnxPredictor } from '@voxface/onnx/web';
import type { DetectorOptions, FaceDetector, PredictorOptions } from '@voxface/predict';

/** ONNX Runtime as this machine has it. */
export interface OnnxRuntime {
  readonly name: 'onnxruntime-node' | 'onnxruntime-web';
  /** @param threads threads of one operator; null takes every core. The WebAssembly build always has one. */
  createPredictor(
    file: Uint8Array,
    options: PredictorOptions,
    threads: number | null,
  ): Promise<OnnxPredictor>;
  createDetector(file: Uint8Array, options: DetectorOptions, threads: number | null): Promise<FaceDetector>;
}

export type OnnxRuntimeName = OnnxRuntime['name'];

/**
 * The native runtime where `onnxruntime-node` is installed, otherwise the WebAssembly build that comes with this package.
 * @throws Error when a runtime that is asked for by name is missing.
 */
export async function openOnnxRuntime(name?: OnnxRuntimeName): Promise<OnnxRuntime> {
  if (name === 'onnxruntime-web' || (name === undefined && !(await hasNativeRuntime()))) return openWasm();
  const { createOnnxDetector, createOnnxPredictor } = await import('@voxface/onnx/node');
  return {
    name: 'onnxruntime-node',
    createPredictor: (file, options, threads) => createOnnxPredictor(file, { ...options, threads }),
    createDetector: (file, options, threads) => createOnnxDetector(file, { ...options, threads }),
  };
}

async function hasNativeRuntime(): Promise<boolean> {
  try {
    await import('onnxruntime-node');
    return true;
  } catch {
    return false;
  }
}

async function openWasm(): Promise<OnnxRuntime> {
  const [{ createOnnxDetector, createOnnxPredictor }, runtime] = await Promise.all([
    import('@voxface/onnx/web'),
    import('onnxruntime-web/wasm'),
  ]);
  // In the built package its files lie beside the build for pages; from source the runtime finds its own.
  if (import.meta.url.endsWith('.js')) {
    const fileOf = (ending: string): string =>
      new URL(`./web/ort-wasm-simd-threaded.${ending}`, import.meta.url).href;
    runtime.env.wasm.wasmPaths = { mjs: fileOf('mjs'), wasm: fileOf('wasm') };
  }
  // Its threads are web workers, which it cannot start in Node; photos share the cores by threads of our own.
  const settings = { runtime, threads: 1 };
  return {
    name: 'onnxruntime-web',
    createPredictor: (file, options) => createOnnxPredictor(file, { ...options, ...settings }),
    createDetector: (file, options) => createOnnxDetector(file, { ...options, ...settings }),
  };
}
