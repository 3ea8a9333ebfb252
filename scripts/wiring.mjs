// Wrong wirings of the adversarial training, each of which the fast tests of `@voxface/train` must notice:
// `npx -y pnpm@12 mutants wiring`. The first eight passed the whole unit lane once.

/** What is changed: a text that stands once in a file of `packages/train/src`. */
export const WIRING = [
  {
    name: 'L_D without -mu L_fake (Eq. 11)',
    file: 'losses.ts',
    from: 'add(terms.real, neg(mul(terms.fake, mu)))',
    to: 'add(terms.real, neg(mul(mul(terms.fake, 0), mu)))',
  },
  {
    name: 'L_D without the auxiliary loss on predictions (Eq. 11)',
    file: 'losses.ts',
    from: 'for (const term of [terms.trueCoordinate, terms.coordinate])',
    to: 'for (const term of [terms.trueCoordinate])',
  },
  {
    name: 'L_G without L_adv (Eq. 14)',
    file: 'losses.ts',
    from: 'add(jointObjective(volume, coordinate, weights), mul(adversarial, weights.adversarial))',
    to: 'add(jointObjective(volume, coordinate, weights), mul(adversarial, 0))',
  },
  {
    name: 'L_adv with the wrong sign (Eq. 14)',
    file: 'losses.ts',
    from: 'add(jointObjective(volume, coordinate, weights), mul(adversarial, weights.adversarial))',
    to: 'add(jointObjective(volume, coordinate, weights), neg(mul(adversarial, weights.adversarial)))',
  },
  {
    name: 'mu never reaches the phases',
    file: 'trainer.ts',
    from: 'engine.compute(phase, state.mu)',
    to: 'engine.compute(phase, 0)',
  },
  {
    name: 'P pre-trained on estimated volumes (Eq. 6)',
    file: 'phases.ts',
    from: 'coordinateLoss(regress(networks, batch.stages as Tensor4D[], batch.images), batch, form)',
    to: 'coordinateLoss(regress(networks, estimate(networks, batch.images), batch.images), batch, form)',
  },
  {
    name: '2D samples meet the outputs of 3D samples',
    file: 'phases.ts',
    from: 'const from = start;',
    to: 'const from = 0;',
  },
  {
    name: 'mean per batch instead of per image',
    file: 'phases.ts',
    from: 'mul(loss, batches[i].size / total)',
    to: 'mul(loss, total / total / losses.length)',
  },
  {
    name: 'L_D without the auxiliary loss on true volumes (Eq. 11)',
    file: 'losses.ts',
    from: 'for (const term of [terms.trueCoordinate, terms.coordinate])',
    to: 'for (const term of [terms.coordinate])',
  },
  {
    name: 'G before D and P (Algorithm 1)',
    file: 'stages.ts',
    from: "adversarial: ['discriminator', 'generator']",
    to: "adversarial: ['generator', 'discriminator']",
  },
  {
    name: 'mu moves the wrong way (Eq. 12)',
    file: 'schedule.ts',
    from: 'gamma * real - fake',
    to: 'fake - gamma * real',
  },
  {
    name: 'running statistics of D and P record true volumes',
    file: 'phases.ts',
    from: "const recorded: NetworkName[] = shared ? ['regressor', 'discriminator'] : ['discriminator'];",
    to: 'const recorded: NetworkName[] = [];',
  },
  {
    name: "G's update trains P, too, where it shares its encoder with D",
    file: 'phases.ts',
    from: "shared ? ['estimator'] : ['estimator', 'regressor']",
    to: "shared ? ['estimator', 'regressor'] : ['estimator', 'regressor']",
  },
  {
    name: 'P is trained nowhere where it shares nothing',
    file: 'phases.ts',
    from: "shared ? ['estimator'] : ['estimator', 'regressor']",
    to: "shared ? ['estimator'] : ['estimator']",
  },
  {
    name: 'D judges the last stage alone (Eq. 10, 13)',
    file: 'phases.ts',
    from: 'volumes.slice(-reconstructed.length), reconstructed, adversary.form',
    to: 'volumes.slice(-1), reconstructed.slice(-1), adversary.form',
  },
  {
    name: 'hidden landmarks count (Eq. 8)',
    file: 'losses.ts',
    from: "batch.kind === '3d' ? undefined : batch.mask",
    to: 'undefined',
  },
  {
    name: 'pre-training of D reaches P',
    file: 'phases.ts',
    from: "trains: () => ['discriminator'],",
    to: "trains: () => ['regressor', 'discriminator'],",
  },
];
