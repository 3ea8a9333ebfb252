import { keep, mul, type Scalar, stack, type Tensor, tidy, variableGrads } from '@tensorflow/tfjs-core';
import type { ParameterSet } from './parameters.ts';
import type { Phase, PhaseInput } from './phases.ts';

/** Terms of a phase and one flat gradient per parameter set; the caller disposes all of them. */
export interface ValueAndGradients {
  readonly terms: Record<string, Scalar>;
  /** [size] per set. */
  readonly gradients: Tensor[];
}

/**
 * Value of a phase and gradient of its loss with respect to the parameter sets; weights outside them are left
 * alone, and what the phase prepares is constant. Weights that the loss does not reach get zeros.
 * @param lossScale factor on the loss before the backward pass; the gradients carry it.
 */
export function valueAndGradients(
  sets: readonly ParameterSet[],
  phase: Phase,
  input: PhaseInput,
  lossScale = 1,
): ValueAndGradients {
  const terms: Record<string, Scalar> = {};
  const gradients = tidy(() => {
    const variables = sets.flatMap((set) => [...set.variables]);
    const prepared = phase.prepare?.(input);
    const { grads } = variableGrads(() => {
      const output = phase.compute({ ...input, prepared });
      for (const name in output.terms) terms[name] = keep(output.terms[name].clone());
      return lossScale === 1 ? output.loss : (mul(output.loss, lossScale) as Scalar);
    }, variables);
    return sets.map((set) => set.flatten(grads));
  });
  return { terms, gradients };
}

/** Downloads scalars in one read and disposes them. */
export async function readScalars(terms: Record<string, Scalar>): Promise<Record<string, number>> {
  const names = Object.keys(terms);
  if (names.length === 0) return {};
  const joined = tidy(() => stack(names.map((name) => terms[name])));
  for (const name of names) terms[name].dispose();
  const values = await joined.data();
  joined.dispose();
  return Object.fromEntries(names.map((name, i) => [name, values[i]]));
}
