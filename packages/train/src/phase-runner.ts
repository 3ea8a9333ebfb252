import {
  dispose,
  getBackend,
  keep,
  mul,
  type Scalar,
  scalar,
  stack,
  type Tensor,
  tidy,
  type Variable,
  variableGrads,
} from '@tensorflow/tfjs-core';
import {
  isNative,
  isRecordingFaster,
  type Program,
  recordCommands,
  recordGraph,
  recordProgram,
} from '@voxface/backend';
import type { TrainingBatch } from './batch.ts';
import type { Execution } from './config.ts';
import { type NetworkName, type ParameterSet, selectNetworks } from './networks.ts';
import { PHASES, type Phase, type PhaseInput, type PhaseName } from './phases.ts';

/** Values and gradients of phases, see `valueAndGradients`. */
export interface PhaseRunner {
  run(phase: PhaseName, batches: readonly TrainingBatch[], mu: number): ValueAndGradients;
  /** Frees what was recorded. */
  dispose(): void;
}

/** What stays the same in all phases of a run. */
export interface PhaseSettings extends Pick<PhaseInput, 'networks' | 'weights' | 'form' | 'adversary'> {
  /** Factor on the loss before the backward pass; the gradients carry it. */
  readonly lossScale: number;
  readonly execution: Execution;
}

/** Shapes of batches that are kept at once: 2D batches with and without hidden landmarks make several. */
const MOST_PROGRAMS = 12;

interface RecordedPhase {
  readonly program: Program;
  readonly terms: readonly string[];
  readonly sets: number;
  /** Variables that the phase assigns to. */
  readonly changed: readonly Variable[];
}

/** Creates the runner of these networks on the current backend. */
export function createPhaseRunner(settings: PhaseSettings): PhaseRunner {
  const { networks, weights, form, adversary, lossScale } = settings;
  let recordPhase = chooseRecorder(settings.execution);
  const recorded = new Map<string, RecordedPhase>();
  const all = Object.keys(networks.weights) as NetworkName[];
  const variables = selectNetworks(networks, all).flatMap(({ trainable, statistics }) => [
    ...trainable.variables,
    ...statistics.variables,
  ]);
  const setsOf = (phase: PhaseName): ParameterSet[] =>
    selectNetworks(networks, PHASES[phase].trains(networks)).map((network) => network.trainable);
  const plainly = (phase: PhaseName, batches: readonly TrainingBatch[], mu: number | Scalar) =>
    valueAndGradients(
      setsOf(phase),
      PHASES[phase],
      { networks, batches, weights, form, adversary, mu },
      lossScale,
    );

  function record(key: string, phase: PhaseName, batches: readonly TrainingBatch[], mu: Scalar) {
    const before = variables.map((variable) => variable.clone());
    const isChanged = (variable: Variable, i: number): boolean => variable.dataId !== before[i].dataId;
    let terms: Record<string, Scalar> = {};
    let changed: Variable[] = [];
    let recording: ReturnType<typeof recordGraph>;
    try {
      recording = recordPhase!([...variables, mu, ...tensorsOf(batches)], () => {
        const result = plainly(phase, batches, mu);
        terms = result.terms;
        changed = variables.filter(isChanged);
        return [...Object.values(terms), ...result.gradients, ...changed];
      });
    } catch (error) {
      // The recording itself ran the phase: as if it had not.
      for (const [i, variable] of variables.entries()) {
        if (isChanged(variable, i)) variable.assign(before[i] as Variable);
      }
      throw error;
    } finally {
      dispose([before, terms]);
    }
    const { program, outputs } = recording;
    const entry = { program, terms: Object.keys(terms), sets: setsOf(phase).length, changed };
    if (recorded.size >= MOST_PROGRAMS) {
      const [oldest, { program: gone }] = recorded.entries().next().value!;
      gone.dispose();
      recorded.delete(oldest);
    }
    recorded.set(key, entry);
    return unpack(entry, outputs);
  }

  function forget(): void {
    for (const { program } of recorded.values()) program.dispose();
    recorded.clear();
  }

  return {
    run(phase, batches, mu) {
      if (recordPhase === undefined) return plainly(phase, batches, mu);
      const key = [phase, ...batches.map(signatureOf)].join(' ');
      const balance = scalar(mu);
      try {
        const known = recorded.get(key);
        if (known === undefined) return record(key, phase, batches, balance);
        return unpack(known, known.program.run([...variables, balance, ...tensorsOf(batches)]));
      } catch (error) {
        if (settings.execution !== 'auto' || recordPhase !== recordGraph) throw error;
        console.warn(
          `training goes on with TensorFlow.js' tape, which is slower: a phase does not run as a graph (${(error as Error).message})`,
        );
        recordPhase = undefined;
        forget();
        return plainly(phase, batches, mu);
      } finally {
        balance.dispose();
      }
    },
    dispose: forget,
  };
}

/** The function that records phases, or undefined where the tape runs them. */
function chooseRecorder(execution: Execution): typeof recordGraph | undefined {
  switch (execution) {
    case 'auto':
      if (isNative()) return recordGraph;
      if (getBackend() === 'webgpu') return recordCommands;
      return isRecordingFaster() ? recordProgram : undefined;
    case 'graph':
      if (isNative()) return recordGraph;
      if (getBackend() === 'webgpu') return recordCommands;
      throw new Error(
        `createPhaseRunner: execution 'graph' needs the backend node or webgpu, got ${getBackend()} (voxface setup-node builds it; or set execution to auto)`,
      );
    case 'kernels':
      return recordProgram;
    case 'tape':
      return undefined;
  }
}

/** Assigns the variables, and names the rest. */
function unpack({ terms, sets, changed }: RecordedPhase, outputs: Tensor[]): ValueAndGradients {
  changed.forEach((variable, i) => {
    const value = outputs[terms.length + sets + i];
    variable.assign(value);
    value.dispose();
  });
  return {
    terms: Object.fromEntries(terms.map((name, i) => [name, outputs[i] as Scalar])),
    gradients: outputs.slice(terms.length, terms.length + sets),
  };
}

function tensorsOf(batches: readonly TrainingBatch[]): Tensor[] {
  return batches.flatMap((batch) => {
    const common = [batch.images, batch.unit];
    if (batch.kind === '3d') return [...common, ...batch.stages];
    return [...common, batch.heatmap, batch.mask, batch.complete].filter((tensor) => tensor !== undefined);
  });
}

function signatureOf(batch: TrainingBatch): string {
  const masks = batch.kind === '2d' ? `${batch.mask !== undefined}-${batch.complete !== undefined}` : '';
  return `${batch.kind}-${batch.size}${masks}`;
}

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
