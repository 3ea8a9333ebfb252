import type { BatchSource } from '@voxface/datasets';
import type { TrainingConfig } from './config.ts';
import type { GradientEngine } from './engine.ts';
import type { NetworkName } from './networks.ts';
import type { StepSamples, StepTimes } from './replica.ts';
import { type BalanceOptions, nextBalance } from './schedule.ts';
import { rateAt, type StagePlan, stageAt } from './stages.ts';
import { adamUpdate, gradientNorm, moveAverage, type TrainingState } from './training-state.ts';

/** What one step did; one line of the log. */
export interface StepRecord {
  readonly type: 'step';
  /** Steps done, this one included. */
  readonly step: number;
  readonly stage: number;
  readonly kind: string;
  readonly learningRate: number;
  /** Loss terms, see `PHASES`. */
  readonly losses: Record<string, number>;
  /** Explained energy 1 - L / energy per stage and kind, comparable between settings. */
  readonly explained: Record<string, number>;
  /** Gradient norm per network, before clipping. */
  readonly norms: Partial<Record<NetworkName, number>>;
  /** mu after the step and gamma L_real - L_fake, in adversarial stages. */
  readonly mu?: number;
  readonly gap?: number;
  /** Milliseconds: `data` is the wait for the batch, the rest is work. */
  readonly times: StepTimes;
}

/** The batch sources of one stage. */
export interface StageSources {
  readonly source3d?: BatchSource<3>;
  readonly source2d?: BatchSource<2>;
}

export interface TrainerParts {
  readonly engine: GradientEngine;
  /** The run's stages; asked for again when a stage has ended early. */
  readonly plan: () => readonly StagePlan[];
  readonly state: TrainingState;
  /** Opens the sources of a stage, `skip` steps into it. */
  readonly openSources: (plan: StagePlan, skip: number) => StageSources;
}

/** Runs steps; what happens between them (evaluation, checkpoints) is the caller's. */
export interface Trainer {
  readonly state: TrainingState;
  /** Steps of the whole run; fewer once a stage has ended early. */
  readonly totalSteps: number;
  /** The stage of the next step. */
  readonly stage: StagePlan;
  /** Ends the stage under way at this step. */
  endStage(): void;
  /**
   * One step of the stage that is due.
   * @throws Error when a loss or gradient is not finite, or the volumes collapsed; the message says what to try.
   */
  step(): Promise<StepRecord>;
  /** Downloads the running statistics into the state. */
  syncStatistics(): Promise<void>;
  close(): Promise<void>;
}

/** Creates the trainer of a run that stands at `parts.state`. */
export function createTrainer(config: TrainingConfig, parts: TrainerParts): Trainer {
  const { engine, state, openSources } = parts;
  let plans = parts.plan();
  let current: { plan: StagePlan; sources: StageSources } | undefined;
  const collapse = createCollapseWatch(config.collapseAfter);

  const sourcesOf = async (plan: StagePlan): Promise<StageSources> => {
    if (current?.plan.index !== plan.index) {
      await closeSources(current?.sources);
      current = { plan, sources: openSources(plan, state.step - plan.start) };
    }
    return current.sources;
  };
  const update = async (name: NetworkName, gradient: Float32Array, rate: number): Promise<number> => {
    const network = state.networks[name]!;
    const norm = gradientNorm(gradient);
    if (!Number.isFinite(norm)) throw new Error(notFinite(`the gradient of the ${name}`, state.step));
    const scale = config.clipNorm !== undefined && norm > config.clipNorm ? config.clipNorm / norm : 1;
    adamUpdate(network.parameters, gradient, network.adam, rate * config.rateOf[name], config.adam, scale);
    await engine.write(name, network.parameters);
    return norm;
  };
  const syncStatistics = async (): Promise<void> => {
    for (const [name, network] of Object.entries(state.networks)) {
      network.statistics.set(await engine.readStatistics(name as NetworkName));
    }
  };
  const moveAverages = async (): Promise<void> => {
    if (config.average === undefined || state.step % config.average.every !== 0) return;
    await syncStatistics();
    // Early averages follow closely, or the initial weights would weigh for thousands of steps.
    const decay =
      Math.min(config.average.decay, (1 + state.step) / (10 + state.step)) ** config.average.every;
    for (const network of Object.values(state.networks)) {
      if (network.average === undefined) continue;
      moveAverage(network.average.parameters, network.parameters, decay);
      moveAverage(network.average.statistics, network.statistics, decay);
    }
  };
  return {
    state,
    get totalSteps() {
      const last = plans[plans.length - 1];
      return last.start + last.steps;
    },
    get stage() {
      return stageAt(plans, state.step);
    },
    endStage() {
      const { index, start } = stageAt(plans, state.step);
      state.ended = { ...state.ended, [index]: state.step - start };
      plans = parts.plan();
    },
    async step() {
      const plan = stageAt(plans, state.step);
      const sources = await sourcesOf(plan);
      const begin = performance.now();
      const samples = await nextSamples(sources, engine.parts);
      const data = performance.now() - begin;
      await engine.load(samples);
      const learningRate = rateAt(config, plans, state.step);
      const losses: Record<string, number> = {};
      const norms: Partial<Record<NetworkName, number>> = {};
      let optimizing = 0;
      for (const phase of plan.phases) {
        const result = await engine.compute(phase, state.mu);
        checkLosses(result.losses, state.step);
        Object.assign(losses, result.losses);
        const start = performance.now();
        for (const [name, gradient] of Object.entries(result.gradients)) {
          norms[name as NetworkName] = await update(name as NetworkName, gradient, learningRate);
        }
        optimizing += performance.now() - start;
      }
      const balance = moveBalance(state, losses, { ...config.balance, ...plan.config.balance });
      state.step++;
      await moveAverages();
      const explained = explainedEnergy(losses, await engine.energy());
      collapse(explained, state.step - plan.start);
      const times = { data, ...engine.takeTimes(), optimizer: optimizing, total: performance.now() - begin };
      const head = { type: 'step' as const, step: state.step, stage: plan.index, kind: plan.config.kind };
      return { ...head, learningRate, losses, explained, norms, ...balance, times };
    },
    syncStatistics,
    async close() {
      await closeSources(current?.sources);
      await engine.close();
    },
  };
}

async function closeSources(sources: StageSources | undefined): Promise<void> {
  await sources?.source3d?.close();
  await sources?.source2d?.close();
}

/** Draws a global batch and cuts it into parts of equal mixture. */
async function nextSamples({ source3d, source2d }: StageSources, parts: number): Promise<StepSamples[]> {
  const [all3d, all2d] = await Promise.all([source3d?.next() ?? [], source2d?.next() ?? []]);
  const cut = <T>(items: readonly T[], part: number): T[] =>
    items.slice((part * items.length) / parts, ((part + 1) * items.length) / parts);
  return Array.from({ length: parts }, (_, part) => ({
    samples3d: cut(all3d, part),
    samples2d: cut(all2d, part),
  }));
}

function moveBalance(
  state: TrainingState,
  { real, fake }: Record<string, number>,
  balance: BalanceOptions,
): { mu?: number; gap?: number } {
  if (real === undefined || fake === undefined) return {};
  state.mu = nextBalance(state.mu, real, fake, balance);
  return { mu: state.mu, gap: balance.gamma * real - fake };
}

function explainedEnergy(
  losses: Record<string, number>,
  energy: Record<string, number>,
): Record<string, number> {
  const explained: Record<string, number> = {};
  for (const [name, value] of Object.entries(energy)) {
    const stage = name.replace('energy', '');
    const loss = losses[`volume${stage}`];
    if (loss !== undefined && value > 0) explained[stage] = 1 - loss / value;
  }
  return explained;
}

function checkLosses(losses: Record<string, number>, step: number): void {
  for (const [name, value] of Object.entries(losses)) {
    if (!Number.isFinite(value)) throw new Error(notFinite(`loss '${name}' = ${value}`, step));
  }
}

function notFinite(what: string, step: number): string {
  return `trainer: ${what} is not finite at step ${step + 1} (lower learningRate, set clipNorm, or resume from the last checkpoint with either)`;
}

/** Stops a run whose volumes stay at zero: a running mean of the best stage's explained energy under 1 %. */
function createCollapseWatch(after: number): (explained: Record<string, number>, step: number) => void {
  let mean: number | undefined;
  return (explained, step) => {
    const values = Object.values(explained);
    if (after === 0 || values.length === 0) return;
    const best = Math.max(...values);
    mean = mean === undefined ? best : 0.99 * mean + 0.01 * best;
    if (step >= after && mean < 0.01) {
      throw new Error(
        `trainer: the volumes collapsed, they explain ${(mean * 100).toFixed(2)} % of the energy ${step} steps into the stage (try a lower learningRate, a larger volume.sigma, a pretrain stage first, or set collapseAfter to 0 to go on)`,
      );
    }
  };
}
