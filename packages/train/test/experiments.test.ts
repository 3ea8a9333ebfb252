import { readdirSync, readFileSync } from 'node:fs';
import { resolveOptions } from '@voxface/models';
import { describe, expect, it } from 'vitest';
import { EXPERIMENTS, experimentConfig } from '../src/experiments.ts';
import { modelOptionsOf } from '../src/networks.ts';
import { parseTrainingConfig } from '../src/parse-config.ts';

const CONFIGS = new URL('../configs/', import.meta.url);

describe('configurations of this project', () => {
  it.each(readdirSync(CONFIGS))('%s is valid', (file) => {
    const config = parseTrainingConfig(JSON.parse(readFileSync(new URL(file, CONFIGS), 'utf8')), file);
    expect(resolveOptions(modelOptionsOf(config)).landmarks).toBe(68);
  });
});

describe('experiments of the paper', () => {
  it('have unique names', () => {
    expect(new Set(EXPERIMENTS.map(({ name }) => name)).size).toBe(EXPERIMENTS.length);
  });

  it.each([
    ['paper', 64],
    ['small', 32],
    ['tiny', 32],
    ['micro', 8],
  ] as const)('are valid configurations with valid models, %s size', (size, depth) => {
    for (const { name } of EXPERIMENTS) {
      const config = parseTrainingConfig(experimentConfig(name, size, 3), name);
      const model = resolveOptions(modelOptionsOf(config));
      expect(model.seed).toBe(3);
      expect(model.depths.at(-1)).toBe(depth);
    }
  });

  it('carry the numbers of the paper', () => {
    const config = parseTrainingConfig(experimentConfig('table8-adversarial', 'paper'));
    expect(config.weights).toEqual({ coordinate: 1, auxiliary: 0.1, adversarial: 0.001 });
    expect(config.balance).toEqual({ gamma: 0.7, rate: 0.001, unit: 1 });
    expect(config.stages.map(({ kind, epochs }) => [kind, epochs])).toEqual([
      ['pretrain', 20],
      ['adversarial', 20],
    ]);
    expect(config.stages.map(({ learningRate }) => learningRate?.initial)).toEqual([2.5e-4, 2.5e-5]);
    expect(modelOptionsOf(config).depths).toEqual([1, 2, 4, 64]);
  });

  it('take their sets by name, and Table VIII has depth on rendered faces alone', () => {
    const { data } = experimentConfig('table8-adversarial', 'small', 0, { aflw: '/elsewhere/faces' });
    expect(data.train3d?.map(({ root }) => root)).toEqual(['sets/profiles']);
    expect(data.train2d?.map(({ root }) => root)).toEqual(['/elsewhere/faces']);
    expect(() => experimentConfig('table8-baseline', 'small', 0, { aflw: 'x' })).toThrow(
      /has the sets profiles, validation-profiles, validation-aflw, got 'aflw'/,
    );
    const { stages } = experimentConfig('table8-adversarial', 'small');
    expect(stages.map(({ kind }) => kind)).toEqual(['pretrain', 'pretrain-discriminator', 'adversarial']);
  });

  it('share nothing where lambda_aux is 0', () => {
    const shared = (name: string) => experimentConfig(name, 'paper').discriminator?.shared;
    expect([shared('figure11-auxiliary0'), shared('figure11-auxiliary1')]).toEqual([false, true]);
  });

  it('of micro size take as many steps of G in every arm, and balance once D has settled', () => {
    const stages = (arm: string) =>
      parseTrainingConfig(experimentConfig(`table8-${arm}`, 'micro', 1)).stages.filter(
        ({ kind }) => kind !== 'pretrain-discriminator',
      );
    const arms = ['baseline', 'mix', 'adversarial', 'adversarial0', 'adversarial-relative'].map(stages);
    for (const arm of arms) {
      expect(arm.map(({ steps }) => steps)).toEqual([600, 500, 1000, 600]);
      expect(arm.map(({ learningRate }) => learningRate)).toEqual(
        arms[0].map(({ learningRate }) => learningRate),
      );
    }
    expect(arms.map((arm) => arm.map(({ balance }) => balance?.gamma))).toEqual([
      [undefined, undefined, undefined, undefined],
      [undefined, undefined, undefined, undefined],
      [undefined, undefined, undefined, 0.9],
      [undefined, undefined, undefined, 0.9],
      // G answers L_adv here: the paper's gamma balances.
      [undefined, undefined, undefined, undefined],
    ]);
    const { discriminator, balance } = experimentConfig('table8-adversarial-relative', 'micro');
    expect([discriminator?.form, discriminator?.share, balance?.rate]).toEqual(['relative', 0.2, 0.01]);
    expect(experimentConfig('table8-adversarial', 'micro').balance?.rate).toBeUndefined();
  });

  it('refuse unknown names with the list of known ones', () => {
    expect(() => experimentConfig('table10', 'paper')).toThrow(/no experiment 'table10'.*table5-1-compact/);
  });
});
