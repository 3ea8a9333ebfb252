import type { SymbolicTensor } from '@tensorflow/tfjs-layers';

/** A piece of a network. */
export type Apply = (x: SymbolicTensor) => SymbolicTensor;

/** A network that is exported and run by both runtimes. */
export type Case = [name: string, shape: number[], build: Apply];

export function use(
  // biome-ignore lint/suspicious/noExplicitAny: any layer of tfjs-layers
  layer: any,
): Apply {
  return (x) => layer.apply(x) as SymbolicTensor;
}

export function chain(...steps: Apply[]): Apply {
  return (x) => steps.reduce((y, step) => step(y), x);
}
