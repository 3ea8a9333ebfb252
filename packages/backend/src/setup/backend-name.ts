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
