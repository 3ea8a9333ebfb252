import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { env, registerBackend, removeBackend } from '@tensorflow/tfjs-core';

/** The module that Emscripten's factory makes, as far as it is used here. */
interface ThreadedModule {
  cwrap(name: string, returns: string | null, takes: string[]): (...values: number[]) => number;
  tfjs?: Record<string, (...values: number[]) => number>;
}

interface FactoryOptions {
  mainScriptUrlOrBlob: string;
  locateFile(path: string): string;
  onAbort(reason: unknown): void;
}

type Factory = (options: FactoryOptions) => Promise<ThreadedModule>;

/** Where the files of the threaded build lie, as absolute URLs. */
export interface ThreadedFiles {
  binary: string;
  /** Emscripten's script for `binary`, as it is in the package: workers run it, and a bundler must not have changed it. */
  script: string;
}

/** Whether this page may share memory between threads. */
export async function canUseThreads(): Promise<boolean> {
  const flags = ['WASM_HAS_SIMD_SUPPORT', 'WASM_HAS_MULTITHREAD_SUPPORT'];
  return (await Promise.all(flags.map((flag) => env().getAsync(flag)))).every(Boolean);
}

/** Whether a script is served there; a worker that does not find its script would keep everybody waiting. */
async function isScript(url: string): Promise<boolean> {
  const response = await fetch(url, { method: 'HEAD' }).catch(() => undefined);
  return response?.ok === true && /javascript/.test(response.headers.get('content-type') ?? '');
}

async function createModule({ binary, script }: ThreadedFiles): Promise<ThreadedModule> {
  const [factories, contents] = await Promise.all([
    import('@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-threaded-simd.js'),
    // @ts-expect-error: the package declares no types for it.
    import('@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-threaded-simd.worker.js'),
  ]);
  const factory = (factories.default ?? factories) as unknown as Factory;
  const { wasmWorkerContents } = (contents.default ?? contents) as { wasmWorkerContents: string };
  // The text was written as a template literal: its line breaks stand inside string literals.
  const source = wasmWorkerContents.replace(/\n/g, '\\n');
  const worker = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  return new Promise((resolve, reject) => {
    factory({
      mainScriptUrlOrBlob: script,
      locateFile: (path) => (path.endsWith('.worker.js') ? worker : binary),
      onAbort: (reason) => reject(new Error(`the threaded WebAssembly module stopped: ${reason}`)),
    }).then(resolve, reject);
  });
}

/** The calls that the backend makes from JavaScript, under the names that it uses. */
function bindFunctions(module: ThreadedModule): void {
  const bind = (name: string, returns: string | null, takes: string[] = []) =>
    module.cwrap(name, returns, takes);
  module.tfjs = {
    init: bind('init', null),
    initWithThreadsCount: bind('init_with_threads_count', null, ['number']),
    getThreadsCount: bind('get_threads_count', 'number'),
    registerTensor: bind('register_tensor', null, ['number', 'number', 'number']),
    disposeData: bind('dispose_data', null, ['number']),
    dispose: bind('dispose', null),
  };
}

/**
 * Makes `wasm` start with threads. The package's own start hands the text of its factory function to the workers, and
 * that text no longer runs once a bundler has renamed what it refers to: the page then waits for its workers for ever.
 * Here they run the unchanged file.
 *
 * @returns false, with nothing changed, where the script cannot be found.
 */
export async function registerThreadedBackend(
  Backend: typeof BackendWasm,
  files: ThreadedFiles,
): Promise<boolean> {
  if (!(await isScript(files.script))) return false;
  removeBackend('wasm');
  return registerBackend('wasm', async () => {
    const module = await createModule(files);
    bindFunctions(module);
    return new Backend(module as unknown as ConstructorParameters<typeof BackendWasm>[0]);
  });
}
