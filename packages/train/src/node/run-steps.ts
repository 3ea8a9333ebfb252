import { join } from 'node:path';
import { saveModel } from '@voxface/models/node';
import type { TrainingConfig } from '../config.ts';
import type { RunData } from '../create-run.ts';
import type { GradientEngine } from '../engine.ts';
import { evaluateModel, type ValidationResult } from '../evaluate.ts';
import type { TrainedNetworks } from '../networks.ts';
import type { Trainer } from '../trainer.ts';
import { withAverage } from '../with-average.ts';
import type { CheckpointFolder } from './checkpoint-folder.ts';
import { createProgressMeter, describeValidation } from './describe-progress.ts';
import type { RunLog } from './run-log.ts';

/** How a run ended. */
export interface TrainingResult {
  readonly steps: number;
  readonly finished: boolean;
  readonly evaluations: readonly ValidationResult[];
  /** Folder of the exported model. */
  readonly model: string;
}

/** A run under way: what `runTraining` has opened. */
export interface Run {
  readonly config: TrainingConfig;
  readonly networks: TrainedNetworks;
  readonly data: RunData;
  readonly trainer: Trainer;
  readonly engine: GradientEngine;
  readonly folder: CheckpointFolder;
  readonly records: RunLog;
  readonly save: () => Promise<string>;
  readonly log: (line: string) => void;
  readonly backend: string;
}

/** Runs the steps that are left, with evaluations and checkpoints, and exports the model. */
export async function runSteps(run: Run, signal?: AbortSignal): Promise<TrainingResult> {
  const { config, trainer, records, log, save } = run;
  const { state, totalSteps } = trainer;
  let evaluations: ValidationResult[] = [];
  const meter = createProgressMeter(config.batchSize);
  while (state.step < totalSteps && !signal?.aborted) {
    const record = await trainer.step();
    records.addStep(record);
    meter.count();
    const last = state.step === totalSteps;
    if (state.step % config.logEvery === 0 || last) {
      log(meter.describe(record, totalSteps));
      await records.flush();
    }
    const evaluate = state.step % config.evaluateEvery === 0 || last;
    const checkpoint = state.step % config.checkpointEvery === 0 || last || signal?.aborted;
    if (evaluate || checkpoint) await trainer.syncStatistics();
    if (evaluate) {
      evaluations = await evaluateRun(run);
      await records.flush();
    }
    const isBest = state.best?.step === state.step;
    if (checkpoint || isBest) {
      const saved = await save();
      if (isBest) await run.folder.markBest(saved);
    }
    if (evaluate || checkpoint) meter.restart();
  }
  await records.flush();
  const model = join(config.output, 'model');
  await withAverage(state, run.engine, () => saveModel(run.networks.model, model));
  const finished = state.step >= totalSteps;
  log(`${finished ? 'finished' : 'stopped'} at step ${state.step} of ${totalSteps}; model in ${model}`);
  return { steps: state.step, finished, evaluations, model };
}

/** Evaluates the averaged weights (or the raw ones); a new best is exported to `best/`. */
async function evaluateRun(run: Run): Promise<ValidationResult[]> {
  const { config, networks, data, trainer, engine, records, log } = run;
  const { state } = trainer;
  const start = performance.now();
  return withAverage(state, engine, async () => {
    const results: ValidationResult[] = [];
    for (const dataset of data.validation) results.push(await evaluateModel(networks.model, dataset));
    for (const result of results) {
      log(
        `step ${state.step}: ${describeValidation(result)} (${((performance.now() - start) / 1000).toFixed(1)} s)`,
      );
    }
    records.addEvaluation(state.step, results);
    const error = results[0]?.nme;
    if (error !== undefined && error < (state.best?.error ?? Infinity)) {
      state.best = { error, step: state.step };
      await saveModel(networks.model, join(config.output, 'best'));
    }
    return results;
  });
}
