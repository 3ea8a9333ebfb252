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
