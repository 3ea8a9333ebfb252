import { engine, env, setBackend } from '@tensorflow/tfjs-core';
import { enableRelaxedSimd } from '../wasm/kernel-module.ts';
import { registerWasmKernels } from '../wasm/register-wasm-kernels.ts';
import { canUseThreads, registerThreadedBackend } from '../wasm/threaded-backend.ts';
import { isNode, type PreparedBackend, type SetupOptions } from './prepared-backend.ts';

/** Workers that the threaded build starts with; it cannot wait for more. */
const MOST_THREADS = 8;
const THREADED = 'tfjs-backend-wasm-threaded-simd.wasm';

/** Where the binaries lie beside this module in the published package; bundlers follow these URLs and copy the files. */
function bundledPaths(): Record<string, string> {
  return {
    'tfjs-backend-wasm.wasm': new URL('./tfjs-backend-wasm.wasm', import.meta.url).href,
    'tfjs-backend-wasm-simd.wasm': new URL('./tfjs-backend-wasm-simd.wasm', import.meta.url).href,
    [THREADED]: new URL('./tfjs-backend-wasm-threaded-simd.wasm', import.meta.url).href,
  };
}

/** The script that the threads run, beside the binaries. */
function bundledScript(): string {
  return new URL('./tfjs-backend-wasm-threaded-simd.js', import.meta.url).href;
}

function absoluteUrl(path: string): string {
  return new URL(path, globalThis.location?.href).href;
}

/** Makes wasm current, with our kernels. In a browser that is cross-origin isolated it runs on several threads. */
export async function prepareWasm({ wasmPaths, threads }: SetupOptions): Promise<PreparedBackend> {
  const wasm = await import('@tensorflow/tfjs-backend-wasm');
  enableRelaxedSimd();
  registerWasmKernels();
  // The backend takes half of the cores at most; left alone, 4 at most.
  wasm.setThreadsCount(threads ?? Math.min(MOST_THREADS, globalThis.navigator?.hardwareConcurrency ?? 1));
  let detail = 'trains everywhere without installing anything more';
  // Paths can be set until the first start only. In Node the package finds its own files.
  if (!('wasm' in engine().registry) && (wasmPaths !== undefined || !isNode())) {
    const paths = wasmPaths ?? bundledPaths();
    wasm.setWasmPaths(paths);
    if (!isNode() && (await canUseThreads())) {
      const binary = absoluteUrl(typeof paths === 'string' ? paths + THREADED : paths[THREADED]);
      const script = bundledScript();
      const problem =
        threads === 1
          ? 'so it was asked'
          : await registerThreadedBackend(wasm.BackendWasm, { binary, script });
      if (problem !== undefined) {
        env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
        if (threads !== 1) detail += `; on one thread, because ${problem}`;
      }
    }
  }
  if (!(await setBackend('wasm'))) throw new Error('the WebAssembly module could not be loaded');
  return { name: 'wasm', threads: wasm.getThreadsCount(), detail };
}
