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

/** What a worker needs to answer, and threads to start, before the page gives them up. */
const PROBE_WAIT = 10_000;
const START_WAIT = 60_000;

/**
 * Whether this page may start workers from a blob, and they find the script there: a page's policy may refuse either, and
 * threads that never come up would keep everybody waiting.
 *
 * @returns undefined when they can, else why not.
 */
async function probeWorker(script: string): Promise<string | undefined> {
  const source = `importScripts(${JSON.stringify(script)}); postMessage('ready');`;
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  let worker: Worker | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    return await new Promise<string | undefined>((resolve) => {
      worker = new Worker(url);
      worker.onmessage = () => resolve(undefined);
      worker.onerror = (event) => {
        event.preventDefault();
        const said = event.message || 'its policy must allow blob: in worker-src';
        resolve(`the page cannot run ${script} in a worker: ${said}`);
      };
      timer = setTimeout(
        () => resolve(`a worker with ${script} gave no answer in ${PROBE_WAIT / 1000} s`),
        PROBE_WAIT,
      );
    });
  } catch (error) {
    return `the page may not start workers: ${(error as Error).message}`;
  } finally {
    clearTimeout(timer);
    worker?.terminate();
    URL.revokeObjectURL(url);
  }
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
  let timer: ReturnType<typeof setTimeout>;
  const started = new Promise<ThreadedModule>((resolve, reject) => {
    timer = setTimeout(
      () => reject(new Error(`the threads of WebAssembly must start within ${START_WAIT / 1000} s`)),
      START_WAIT,
    );
    factory({
      mainScriptUrlOrBlob: script,
      locateFile: (path) => (path.endsWith('.worker.js') ? worker : binary),
      onAbort: (reason) => reject(new Error(`the threaded WebAssembly module stopped: ${reason}`)),
    }).then(resolve, reject);
  });
  return started.finally(() => clearTimeout(timer));
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
 * @returns undefined, or why not, with nothing changed: where workers cannot start, do not find the script, or end.
 */
export async function registerThreadedBackend(
  Backend: typeof BackendWasm,
  files: ThreadedFiles,
): Promise<string | undefined> {
  const problem = await probeWorker(files.script);
  if (problem !== undefined) return problem;
  let module: ThreadedModule;
  try {
    module = await createModule(files);
  } catch (error) {
    return (error as Error).message;
  }
  bindFunctions(module);
  removeBackend('wasm');
  registerBackend(
    'wasm',
    () => new Backend(module as unknown as ConstructorParameters<typeof BackendWasm>[0]),
  );
  return undefined;
}
