import { setBackend } from '@tensorflow/tfjs-core';
import { enableRelaxedSimd } from '../wasm/enable-relaxed-simd.ts';
import { registerWasmKernels } from '../wasm/register-wasm-kernels.ts';
import { isNode } from './backend-name.ts';
import type { PreparedBackend, SetupOptions } from './prepared-backend.ts';

/** Where the binaries lie beside this module in the published package; bundlers follow these URLs and copy the files. */
function bundledPaths(): Record<string, string> {
  return {
    'tfjs-backend-wasm.wasm': new URL('./tfjs-backend-wasm.wasm', import.meta.url).href,
    'tfjs-backend-wasm-simd.wasm': new URL('./tfjs-backend-wasm-simd.wasm', import.meta.url).href,
    'tfjs-backend-wasm-threaded-simd.wasm': new URL('./tfjs-backend-wasm-threaded-simd.wasm', import.meta.url)
      .href,
  };
}

/** Makes wasm current, with our kernels. In a browser that is cross-origin isolated it runs on several threads. */
export async function prepareWasm({ wasmPaths, threads }: SetupOptions): Promise<PreparedBackend> {
  const wasm = await import('@tensorflow/tfjs-backend-wasm');
  enableRelaxedSimd();
  registerWasmKernels();
  // In Node the package finds its own files. Paths can be set until the first start only.
  if (wasmPaths !== undefined) wasm.setWasmPaths(wasmPaths);
  else if (!isNode()) wasm.setWasmPaths(bundledPaths());
  if (threads !== undefined) wasm.setThreadsCount(threads);
  if (!(await setBackend('wasm'))) throw new Error('the WebAssembly module could not be loaded');
  return {
    name: 'wasm',
    threads: wasm.getThreadsCount(),
    detail: 'trains everywhere without installing anything more',
  };
}
