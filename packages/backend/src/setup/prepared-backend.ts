/** Options of `setupBackend`. */
export interface SetupOptions {
  /** Folder or files of the wasm binaries, where the ones that come with the package are not to be used. */
  wasmPaths?: string | Record<string, string>;
  /**
   * Threads of wasm in a cross-origin isolated browser, at most half of the cores and 8; of TensorFlow in Node.
   * @default as many as wasm may have; one per core in Node
   */
  threads?: number;
}

/** A backend that has been made current. */
export interface PreparedBackend {
  /** Name under which TensorFlow.js knows it. */
  name: string;
  threads?: number;
  /** What speaks for it, for the message. */
  detail: string;
}

/**
 * Imports a module that only Node can load, out of sight of bundlers: they would try to resolve it for the browser.
 *
 * @param specifier package name or URL.
 */
export async function importHidden<T>(specifier: string): Promise<T> {
  return (await import(/* @vite-ignore */ /* webpackIgnore: true */ specifier)) as T;
}

/** The error for an optional package that could not be imported, with its own first line and the way out. */
export function missingPackage(name: string, cause: unknown): Error {
  const [reason] = String((cause as Error)?.message ?? cause).split('\n');
  return new Error(`the package '${name}' must be installed, got "${reason}" (npm install ${name})`, {
    cause,
  });
}

/** Backends that `setupBackend` prepares. */
export type ConcreteBackend = 'cpu' | 'wasm' | 'webgl' | 'webgpu' | 'node' | 'node-gpu';

/** Names that `setupBackend` takes; 'auto' is the fastest that can train here. */
export type BackendName = 'auto' | ConcreteBackend;

/** All of them. */
export const BACKEND_NAMES: readonly BackendName[] = [
  'auto',
  'cpu',
  'wasm',
  'webgl',
  'webgpu',
  'node',
  'node-gpu',
];

/** Whether this is Node rather than a browser or a worker of one. */
export function isNode(): boolean {
  const { process } = globalThis as { process?: { versions?: { node?: string } } };
  return process?.versions?.node !== undefined;
}
