import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { getBackend, version_core } from '@tensorflow/tfjs-core';
import { setupBackend } from '@voxface/backend';
import type { Dataset } from '@voxface/datasets';
import { createCropWorkers, lockFolder } from '@voxface/datasets/node';
import { loadDiscriminator, loadModel, saveModel } from '@voxface/models/node';
import { type CheckpointInfo, decodeCheckpoint, encodeCheckpoint, restoreState } from '../checkpoint.ts';
import type { TrainingConfig } from '../config.ts';
import {
  createLocalEngine,
  createRankEngine,
  type GradientEngine,
  type RankGroup,
  withAverage,
} from '../engine.ts';
import { evaluateModel, type HeldOutLosses, measureHeldOut, type ValidationResult } from '../evaluate.ts';
import {
  createRunNetworks,
  type NetworkName,
  needsDiscriminator,
  type TrainedNetworks,
} from '../networks.ts';
import { parseTrainingConfig } from '../parse-config.ts';
import { createRunReplica } from '../replica.ts';
import { planStages } from '../stages.ts';
import { createTrainer, type Trainer } from '../trainer.ts';
import { createTrainingState, type TrainingState } from '../training-state.ts';
import { type CheckpointFolder, openCheckpointFolder } from './checkpoint-folder.ts';
import { joinRanks } from './mpi.ts';
import { checkSchemes, createSourceOpener, openRunData, type RunData } from './open-data.ts';
import { autoWorkers, createParallelEngine } from './parallel-engine.ts';
import { createProgressMeter, describeValidation, openRunLog, type RunLog, sayChanges } from './run-log.ts';

/** Options of a run. */
export interface RunTrainingOptions {
  /**
   * Continues from the newest whole checkpoint of the output folder: true starts anew where there is none,
   * 'required' throws.
   * @default false
   */
  resume?: boolean | 'required';
  /**
   * A new run in a folder that holds checkpoints of another one deletes them; otherwise it is refused.
   * @default false
   */
  overwrite?: boolean;
  /** Stops after the step under way, with a checkpoint. */
  signal?: AbortSignal;
  /** Told one line of text at a time: progress, evaluations, warnings. @default nothing is printed */
  log?: (line: string) => void;
}

/**
 * Trains by a configuration: opens the data, sets the backend up, runs the stages with evaluations and checkpoints,
 * writes `OUTPUT/log.jsonl`, `OUTPUT/checkpoints/` and the models `OUTPUT/model/` (last) and `OUTPUT/best/`.
 * The folder belongs to one run: another process in it, and a new run among the checkpoints of an old one, are refused.
 * Started by `mpirun` or `srun --mpi`, the ranks share every batch; rank 0 evaluates and writes, and a rank that fails ends
 * all of them.
 * @throws RangeError on a wrong configuration; Error when the data is missing, when there is no checkpoint of a run that
 * must be resumed, when the folder is in use, or when training went wrong.
 */
export async function runTraining(input: unknown, options: RunTrainingOptions = {}): Promise<TrainingResult> {
  const config = parseTrainingConfig(input);
  const group = await joinRanks(process.env);
  try {
    const isAuto = group === undefined && (input as { workers?: unknown }).workers === 'auto';
    const result = await runRank(config, { ...options, isAuto }, group);
    group?.close();
    return result;
  } catch (error) {
    group?.abort(error as Error);
    throw error;
  }
}

interface RankOptions extends RunTrainingOptions {
  /** The number of workers is `autoWorkers`. */
  isAuto: boolean;
}

/** The folder is rank 0's. */
async function runRank(
  config: TrainingConfig,
  options: RankOptions,
  group: RankGroup | undefined,
): Promise<TrainingResult> {
  if (group !== undefined) {
    checkRanks(config, group);
    if (group.rank > 0) return runLocked(config, { ...options, log: undefined }, group);
  }
  await mkdir(config.output, { recursive: true });
  const unlock = await lockFolder(config.output, `the training run ${config.name}`);
  try {
    return await runLocked(config, options, group);
  } finally {
    await unlock();
  }
}

function checkRanks({ batchSize, workers, accumulate }: TrainingConfig, { size }: RankGroup): void {
  if (batchSize % (size * workers * accumulate) === 0) return;
  throw new RangeError(
    `runTraining: batchSize must be divisible by ranks x workers x accumulate (${size} x ${workers} x ${accumulate}), got ${batchSize}`,
  );
}

async function runLocked(
  given: TrainingConfig,
  { resume = false, overwrite = false, signal, log = () => {}, isAuto }: RankOptions,
  group: RankGroup | undefined,
): Promise<TrainingResult> {
  // With workers, each takes one core: TensorFlow's own threads would only be in their way.
  const threads = isAuto || given.workers > 1 ? { threads: 1 } : {};
  const found = given.backend === 'current' ? undefined : await setupBackend(given.backend, threads);
  const config = { ...given, workers: isAuto && found ? autoWorkers(given, found) : given.workers };
  const backend = found?.name ?? getBackend();
  const { rank, size } = group ?? { rank: 0, size: 1 };
  const folder =
    rank === 0
      ? await openCheckpointFolder(join(config.output, 'checkpoints'), config.keepCheckpoints)
      : undefined;
  if (folder && resume === false && (await folder.count()) > 0) {
    if (!overwrite) {
      throw new Error(
        `runTraining: a new run needs a folder without checkpoints, got ${config.output} with those of another run (resume that run, choose another output, or overwrite it)`,
      );
    }
    await folder.clear();
  }
  const newest =
    folder && resume !== false ? await findNewest(folder, config.output, resume, log) : undefined;
  const data = await openRunData(config, log);
  const networks = await openNetworks(config, log);
  checkSchemes(networks.model.options, data);
  const state = await createTrainingState(networks, config.average !== undefined);
  const engine = await createRunEngine(config, networks, group);
  const versions = { tfjs: version_core, node: process.version };
  if (newest !== undefined) await resumeState(newest, state, engine, log);
  if (group !== undefined) await shareState(group, state, engine, { config, versions, backend });
  const records =
    folder && (await openRunLog(config.output, newest === undefined ? 0 : state.step, config.tensorboard));
  // Every part, of every rank, gets the same mixture.
  const plan = () =>
    planStages({ ...config, workers: config.workers * size }, data.train3d?.length ?? 0, state.ended);
  const onProblem = ({ id, error }: { id: string; error: Error }) => log(`skipped ${id}: ${error.message}`);
  if (newest !== undefined) sayChanges(newest.checkpoint.config, config, log);
  const croppers =
    config.decoders > 0
      ? createCropWorkers({ count: config.decoders, cacheBytes: config.pictureCache * 1e6 })
      : undefined;
  const { inputSize } = networks.model.options;
  const part = { index: rank, count: size };
  const openSources = createSourceOpener(config, data, inputSize, croppers, onProblem, part);
  const trainer = createTrainer(config, { engine, plan, state, openSources });
  const save = async () => (await folder?.save({ state, config, versions, backend })) ?? '';
  const run: Run = { config, networks, data, trainer, engine, folder, records, save, log, backend, group };
  if (folder) await writeFile(join(config.output, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
  log(describeRun(run));
  if (state.step > trainer.totalSteps) {
    throw new Error(
      `runTraining: the plan must reach beyond the checkpoint, got ${trainer.totalSteps} steps and step ${state.step} (lengthen the stages, or start anew in another output)`,
    );
  }
  try {
    return await runSteps(run, signal);
  } finally {
    await trainer.close();
    await croppers?.close();
    networks.discriminator?.dispose();
    networks.model.dispose();
  }
}

/** The networks of a run, with the weights of `startFrom`; its discriminator comes along where it is of the same options. */
async function openNetworks(config: TrainingConfig, log: (line: string) => void): Promise<TrainedNetworks> {
  if (config.startFrom === undefined) return createRunNetworks(config);
  const model = await loadModel(config.startFrom);
  if (!needsDiscriminator(config)) return createRunNetworks(config, model);
  const saved = await loadDiscriminator(model, config.startFrom);
  if (saved === undefined) return createRunNetworks(config, model);
  const {
    shared,
    stages,
    bottleneck,
    decoderChannels = saved.options.decoderChannels,
  } = config.discriminator;
  const wanted = { ...saved.options, shared, stages, bottleneck, decoderChannels };
  if (JSON.stringify(wanted) === JSON.stringify(saved.options))
    return createRunNetworks(config, model, saved);
  saved.dispose();
  log(`the discriminator in ${config.startFrom} has other options than this run: starting a new one`);
  return createRunNetworks(config, model);
}

async function createRunEngine(
  config: TrainingConfig,
  networks: TrainedNetworks,
  group: RankGroup | undefined,
): Promise<GradientEngine> {
  const replica = createRunReplica(config, networks);
  const engine =
    config.workers === 1
      ? createLocalEngine(replica, config.accumulate)
      : await createParallelEngine(config, replica, config.workers);
  return group === undefined ? engine : createRankEngine(engine, group);
}

/** Gives every rank the state of rank 0, which alone has read a checkpoint. */
async function shareState(
  group: RankGroup,
  state: TrainingState,
  engine: GradientEngine,
  info: CheckpointInfo,
): Promise<void> {
  if (group.rank === 0) {
    await group.broadcast(encodeCheckpoint({ state, ...info }));
    return;
  }
  const source = 'the state that rank 0 has sent';
  restoreState(state, decodeCheckpoint(await group.broadcast(), source).state, source);
  await writeState(state, engine);
}

async function writeState(state: TrainingState, engine: GradientEngine): Promise<void> {
  for (const [name, network] of Object.entries(state.networks)) {
    await engine.write(name as NetworkName, network.parameters);
    await engine.writeStatistics(name as NetworkName, network.statistics);
  }
}

type NewestCheckpoint = NonNullable<Awaited<ReturnType<CheckpointFolder['loadNewest']>>>;

async function findNewest(
  folder: CheckpointFolder,
  output: string,
  resume: true | 'required',
  log: (line: string) => void,
): Promise<NewestCheckpoint | undefined> {
  const newest = await folder.loadNewest(log);
  if (newest !== undefined) return newest;
  if (resume === 'required') {
    throw new Error(
      `runTraining: to resume takes a whole checkpoint, got none in ${join(output, 'checkpoints')} (start the run without resuming)`,
    );
  }
  log('no checkpoint to resume from: starting anew');
  return undefined;
}

async function resumeState(
  newest: NewestCheckpoint,
  state: TrainingState,
  engine: GradientEngine,
  log: (line: string) => void,
): Promise<void> {
  restoreState(state, newest.checkpoint.state, newest.file);
  await writeState(state, engine);
  log(`resumed from ${newest.file} at step ${state.step}`);
}

function describeRun({ config, trainer, networks, backend, group }: Run): string {
  const sizes = Object.entries(trainer.state.networks)
    .map(([name, network]) => `${name} ${(network.parameters.length / 1e6).toFixed(2)} M`)
    .join(', ');
  return `${config.name}: ${trainer.totalSteps} steps of ${config.batchSize} at ${networks.model.options.inputSize} px on ${backend}${group ? `, shared by ${group.size} ranks over ${group.library}` : ''}; ${sizes}`;
}

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
  /** Absent in ranks other than 0, which write nothing. */
  readonly folder?: CheckpointFolder;
  readonly records?: RunLog;
  readonly save: () => Promise<string>;
  readonly log: (line: string) => void;
  readonly backend: string;
  /** The ranks that share the run, where there are several. */
  readonly group?: RankGroup;
}

/** Runs the steps that are left, with evaluations and checkpoints, and exports the model. */
export async function runSteps(run: Run, signal?: AbortSignal): Promise<TrainingResult> {
  const { config, trainer, records, log, save } = run;
  const { state } = trainer;
  let evaluations: ValidationResult[] = [];
  let aborted = await isAborted(run, signal);
  const meter = createProgressMeter(config.batchSize);
  while (state.step < trainer.totalSteps && !aborted) {
    const record = await trainer.step();
    records?.addStep(record);
    meter.count();
    const last = state.step === trainer.totalSteps;
    if (state.step % config.logEvery === 0 || last) {
      log(meter.describe(record, trainer.totalSteps));
      await records?.flush();
    }
    aborted = await isAborted(run, signal);
    const evaluate = state.step % config.evaluateEvery === 0 || last;
    let checkpoint = state.step % config.checkpointEvery === 0 || last || aborted;
    if (evaluate || checkpoint) await trainer.syncStatistics();
    if (evaluate) {
      const ended = state.ended;
      try {
        evaluations = await evaluateRun(run);
      } catch (error) {
        // Steps are not lost to an evaluation that fails.
        log(`the evaluation failed; saved ${await save()}`);
        throw error;
      }
      await records?.flush();
      checkpoint ||= state.ended !== ended;
    }
    const isBest = state.best?.step === state.step;
    if (checkpoint || isBest) {
      const saved = await save();
      if (isBest) await run.folder?.markBest(saved);
    }
    if (evaluate || checkpoint) meter.restart();
  }
  await records?.flush();
  const model = join(config.output, 'model');
  const { discriminator } = run.networks;
  if (run.folder) {
    await withAverage(state, run.engine, () => saveModel(run.networks.model, model, { discriminator }));
  }
  const finished = state.step >= trainer.totalSteps;
  log(
    `${finished ? 'finished' : 'stopped'} at step ${state.step} of ${trainer.totalSteps}; model in ${model}`,
  );
  return { steps: state.step, finished, evaluations, model };
}

/** Whether the run shall stop: all ranks after the same step, when any of them was told. */
async function isAborted({ group }: Run, signal: AbortSignal | undefined): Promise<boolean> {
  const told = Float64Array.of(signal?.aborted ? 1 : 0);
  await group?.sum(told);
  return told[0] > 0;
}

/** Rank 0 evaluates and judges; what it decides holds for all. */
async function evaluateRun(run: Run): Promise<ValidationResult[]> {
  const { group, trainer } = run;
  const { state } = trainer;
  if (group === undefined) return evaluateModels(run);
  if (group.rank === 0) {
    const results = await evaluateModels(run);
    const { best, ended } = state;
    await group.broadcast(Buffer.from(JSON.stringify({ results, best, ended })));
    return results;
  }
  const { results, best, ended } = JSON.parse(Buffer.from(await group.broadcast()).toString());
  state.best = best;
  if (JSON.stringify(ended) !== JSON.stringify(state.ended)) trainer.endStage();
  return results;
}

/** Evaluates the averaged weights (or the raw ones); a new best is exported to `best/`. */
async function evaluateModels(run: Run): Promise<ValidationResult[]> {
  const { config, networks, data, trainer, engine, records, log } = run;
  const { state } = trainer;
  const start = performance.now();
  return withAverage(state, engine, async () => {
    const results: ValidationResult[] = [];
    for (const dataset of data.validation) {
      results.push(
        await evaluateModel(networks.model, dataset, 16, ({ id, error }) =>
          log(`left out of the validation: ${id}: ${error.message}`),
        ),
      );
    }
    for (const result of results) {
      log(
        `step ${state.step}: ${describeValidation(result)} (${((performance.now() - start) / 1000).toFixed(1)} s)`,
      );
    }
    records?.addEvaluation(state.step, results, await judgeDiscriminator(run));
    const error = results[0]?.nme;
    if (error !== undefined && error < (state.best?.error ?? Infinity)) {
      state.best = { error, step: state.step };
      const { model, discriminator } = networks;
      await saveModel(model, join(config.output, 'best'), { discriminator });
    }
    return results;
  });
}

/** Measures D and P on the first 3D validation set, and ends a pre-training of D that is good enough. */
async function judgeDiscriminator({ networks, data, trainer, log }: Run): Promise<HeldOutLosses | undefined> {
  const dataset = data.validation.find(({ dims }) => dims === 3) as Dataset<3> | undefined;
  if (networks.discriminator === undefined || dataset === undefined) return undefined;
  const { index, start, config: stage } = trainer.stage;
  const heldOut = await measureHeldOut(networks, dataset);
  const { reconstruction, coordinate } = heldOut;
  log(
    `step ${trainer.state.step}: D leaves ${(100 * reconstruction).toFixed(1)} % of the energy of true volumes of ${dataset.name}, L_coord is ${coordinate.toPrecision(3)}`,
  );
  if (stage.until !== undefined && reconstruction < stage.until) {
    log(`stage ${index + 1} ends after ${trainer.state.step - start} steps: under ${100 * stage.until} %`);
    trainer.endStage();
  }
  return heldOut;
}
