import {
  add,
  concat,
  div,
  grads,
  mul,
  type Scalar,
  slice,
  sqrt,
  square,
  sum,
  type Tensor,
  type Tensor3D,
  type Tensor4D,
} from '@tensorflow/tfjs-core';
import type { Batch3D, TrainingBatch } from './batch.ts';
import {
  ADVERSARY_DEFAULTS,
  type AdversaryOptions,
  addScalars,
  adversaryEnergy,
  type CoordinateLossForm,
  coordinateLoss,
  discriminatorObjective,
  generatorObjective,
  jointObjective,
  type LossWeights,
  volumeLoss,
} from './losses.ts';
import type { NetworkName, TrainedNetworks } from './networks.ts';
import { discriminate, estimate, keepingStatistics, regress } from './networks.ts';

/** What a phase computes from. */
export interface PhaseInput {
  readonly networks: TrainedNetworks;
  /** One or two homogeneous batches; they pass through G together and meet their own losses. */
  readonly batches: readonly TrainingBatch[];
  readonly weights: LossWeights;
  /** How coordinate errors count. */
  readonly form?: CoordinateLossForm;
  /** mu of Eq. 12 at this step. */
  readonly mu: number | Scalar;
  /** How D's energies count; literally when left out. */
  readonly adversary?: AdversaryOptions;
  /** What `prepare` returned. */
  readonly prepared?: Tensor[];
}

/** What a phase minimizes, and the terms to be logged. */
export interface PhaseOutput {
  readonly loss: Scalar;
  readonly terms: Record<string, Scalar>;
}

/** One forward and backward pass that ends in an update of the networks it trains. */
export interface Phase {
  readonly trains: (networks: TrainedNetworks) => readonly NetworkName[];
  /** Runs before the pass that is differentiated: its tensors are constants to it. */
  readonly prepare?: (input: PhaseInput) => Tensor[];
  readonly compute: (input: PhaseInput) => PhaseOutput;
}

/** Pre-training of G, Eq. 5. */
const volume: Phase = {
  trains: () => ['estimator'],
  compute({ networks, batches }) {
    const parts = split(estimate(networks, joinImages(batches)), batches);
    const terms = volumeTerms(parts, batches);
    return { loss: terms.volume, terms };
  },
};

/** Pre-training of P on true volumes, Eq. 6. */
const coordinate: Phase = {
  trains: () => ['regressor'],
  compute({ networks, batches, form }) {
    const batch = batch3d(batches);
    const loss = coordinateLoss(regress(networks, batch.stages as Tensor4D[], batch.images), batch, form);
    return { loss, terms: { trueCoordinate: loss } };
  },
};

/** Joint training of G and P end to end: Eq. 9 on 3D batches, with Eq. 7 and Eq. 8 on mixtures of 2D and 3D. */
const joint: Phase = {
  trains: () => ['estimator', 'regressor'],
  compute({ networks, batches, weights, form }) {
    const images = joinImages(batches);
    const volumes = estimate(networks, images);
    const coordinates = regress(networks, volumes, images);
    const terms = {
      ...volumeTerms(split(volumes, batches), batches),
      ...coordinateTerms(coordinates, batches, form),
    };
    return { loss: jointObjective(terms.volume, terms.coordinate, weights), terms };
  },
};

/** Update of D and P on detached predictions, Eq. 11; without sharing D alone, without the auxiliary terms. */
const discriminator: Phase = {
  trains: ({ shared }) => (shared ? ['regressor', 'discriminator'] : ['discriminator']),
  prepare: ({ networks, batches }) =>
    keepingStatistics(networks, ['estimator'], () => estimate(networks, joinImages(batches))),
  compute({ networks, batches, weights, form, mu, adversary, prepared = [] }) {
    const { shared } = networks;
    const fakes = prepared as Tensor4D[];
    const truth = batch3d(batches);
    const images = joinImages(batches);
    const recorded: NetworkName[] = shared ? ['regressor', 'discriminator'] : ['discriminator'];
    const real = keepingStatistics(networks, recorded, () =>
      discriminate(networks, truth.stages as Tensor4D[], truth.images),
    );
    const fake = discriminate(networks, fakes, images);
    const terms: Record<string, Scalar> & { real: Scalar; fake: Scalar } = {
      real: energy(truth.stages as Tensor4D[], real, adversary),
      fake: energy(fakes, fake, adversary),
    };
    if (real.coordinates && fake.coordinates) {
      terms.trueCoordinate = coordinateLoss(real.coordinates, truth, form);
      terms.coordinate = coordinateTerms(fake.coordinates, batches, form).coordinate;
    }
    return { loss: discriminatorObjective(terms, mu, weights), terms };
  },
};

/** Update of G after D and P, Eq. 14, with fresh forward passes; without sharing P is trained here too. */
const generator: Phase = {
  trains: ({ shared }) => (shared ? ['estimator'] : ['estimator', 'regressor']),
  prepare: (input) => (input.adversary?.form === 'relative' ? [adversarialWeight(input)] : []),
  compute({ networks, batches, weights, form, adversary, prepared = [] }) {
    const { shared } = networks;
    const images = joinImages(batches);
    const volumes = estimate(networks, images);
    const frozen: NetworkName[] = shared ? ['regressor', 'discriminator'] : ['discriminator'];
    const judged = keepingStatistics(networks, frozen, () => discriminate(networks, volumes, images));
    const coordinates = judged.coordinates ?? regress(networks, volumes, images);
    const terms = {
      ...volumeTerms(split(volumes, batches), batches),
      ...coordinateTerms(coordinates, batches, form),
      adversarial: energy(volumes, judged, adversary),
    };
    const [found] = prepared as Scalar[];
    const { coordinate } = weights;
    const objective = generatorObjective(terms.volume, terms.coordinate, terms.adversarial, {
      coordinate,
      adversarial: found ?? weights.adversarial,
    });
    return { loss: objective, terms: { ...terms, ...(found && { adversarialWeight: found }) } };
  },
};

/** Pre-training of D on true volumes: L_real of Eq. 10, for what it does not share with P. */
const reconstruction: Phase = {
  trains: () => ['discriminator'],
  compute({ networks, batches, adversary }) {
    const truth = batch3d(batches);
    const stages = truth.stages as Tensor4D[];
    const judged = keepingStatistics(networks, networks.shared ? ['regressor'] : [], () =>
      discriminate(networks, stages, truth.images),
    );
    const real = energy(stages, judged, adversary);
    return { loss: real, terms: { real } };
  },
};

/** All phases by name; a training stage is a list of them. */
export const PHASES: Readonly<Record<PhaseName, Phase>> = {
  volume,
  coordinate,
  joint,
  discriminator,
  generator,
  reconstruction,
};

/** Names of the phases. */
export type PhaseName = 'volume' | 'coordinate' | 'joint' | 'discriminator' | 'generator' | 'reconstruction';

/** L_real, L_fake or L_adv over the stages that D reconstructs: all of them, or the last one alone. */
function energy(
  volumes: readonly Tensor4D[],
  { reconstructed }: { reconstructed: Tensor4D[] },
  adversary: AdversaryOptions = ADVERSARY_DEFAULTS,
): Scalar {
  return adversaryEnergy(volumes.slice(-reconstructed.length), reconstructed, adversary.form);
}

/**
 * Weight that gives L_adv's gradient at the predicted volumes its share of the norm of that of the other terms.
 * Nothing is recorded and no weight is changed; the passes see the same batch statistics as the update that follows.
 */
function adversarialWeight({
  networks,
  batches,
  weights,
  form,
  adversary = ADVERSARY_DEFAULTS,
}: PhaseInput): Scalar {
  const names = Object.keys(networks.weights) as NetworkName[];
  return keepingStatistics(networks, names, () => {
    const images = joinImages(batches);
    const volumes = estimate(networks, images);
    const regression = (...found: Tensor[]): Scalar =>
      jointObjective(
        volumeTerms(split(found as Tensor4D[], batches), batches).volume,
        coordinateTerms(regress(networks, found as Tensor4D[], images), batches, form).coordinate,
        weights,
      );
    const adversarial = (...found: Tensor[]): Scalar =>
      energy(found as Tensor4D[], discriminate(networks, found as Tensor4D[], images), adversary);
    const own = joinedNorm(grads(regression)(volumes));
    const other = joinedNorm(grads(adversarial)(volumes));
    return mul(div(own, add(other, 1e-12)), adversary.share) as Scalar;
  });
}

function joinedNorm(tensors: readonly Tensor[]): Scalar {
  return sqrt(addScalars(tensors.map((tensor) => sum(square(tensor)) as Scalar))) as Scalar;
}

function joinImages(batches: readonly TrainingBatch[]): Tensor4D {
  return batches.length === 1 ? batches[0].images : (concat(batches.map((b) => b.images)) as Tensor4D);
}

/** Cuts tensors along the batch axis into one list per batch. */
function split<T extends Tensor>(tensors: readonly T[], batches: readonly TrainingBatch[]): T[][] {
  if (batches.length === 1) return [[...tensors]];
  let start = 0;
  return batches.map(({ size }) => {
    const from = start;
    start += size;
    return tensors.map((t) => slice(t, from, size) as T);
  });
}

function volumeTerms(
  volumes: readonly Tensor4D[][],
  batches: readonly TrainingBatch[],
): Record<string, Scalar> & { volume: Scalar } {
  const losses = batches.map((batch, i) => volumeLoss(volumes[i], batch));
  const terms = {
    volume: meanOverImages(
      losses.map((loss) => loss.total),
      batches,
    ),
  };
  return Object.assign(
    terms,
    ...batches.flatMap((batch, i) =>
      losses[i].stages.map((stage, m) => ({ [`volume${m + 1}_${batch.kind}`]: stage })),
    ),
  );
}

function coordinateTerms(
  coordinates: Tensor3D,
  batches: readonly TrainingBatch[],
  form?: CoordinateLossForm,
): Record<string, Scalar> & { coordinate: Scalar } {
  const losses = split([coordinates], batches).map(([part], i) => coordinateLoss(part, batches[i], form));
  const terms = { coordinate: meanOverImages(losses, batches) };
  return Object.assign(terms, ...batches.map((batch, i) => ({ [`coordinate_${batch.kind}`]: losses[i] })));
}

/** Mean over the images of all batches of losses that are means over the images of one. */
function meanOverImages(losses: readonly Scalar[], batches: readonly TrainingBatch[]): Scalar {
  if (losses.length === 1) return losses[0];
  const total = batches.reduce((sum, batch) => sum + batch.size, 0);
  return addScalars(losses.map((loss, i) => mul(loss, batches[i].size / total) as Scalar));
}

function batch3d(batches: readonly TrainingBatch[]): Batch3D {
  const batch = batches.find((candidate) => candidate.kind === '3d');
  if (batch === undefined) {
    throw new RangeError(
      'batch3d: this phase needs samples with 3D annotation, got 2D only (add train3d data)',
    );
  }
  return batch as Batch3D;
}
