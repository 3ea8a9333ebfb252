import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setupBackend } from '@voxface/backend';
import { loadDiscriminator, loadModel } from '@voxface/models/node';
import { beforeAll, describe, expect, it } from 'vitest';
import { decodeCheckpoint } from '../src/checkpoint.ts';
import { runTraining } from '../src/node.ts';
import { parseTrainingConfig } from '../src/parse-config.ts';
import { microConfig, readLosses } from './helpers/packed-faces.ts';

beforeAll(async () => {
  await setupBackend('cpu');
});

const stateAt = async (output: string, step: number) => {
  const file = join(output, 'checkpoints', `step-${String(step).padStart(8, '0')}.ckpt`);
  return decodeCheckpoint(await readFile(file), file).state;
};

/** D learns alone, is evaluated, ends its stage early, is saved, and another run goes on from it. */
describe('pretrain-discriminator', () => {
  it('trains D alone until it is good enough, and startFrom takes it along', async () => {
    const config = await microConfig({
      learningRate: { initial: 1e-2 },
      augmentation: false,
      stages: [
        { kind: 'pretrain', steps: 2 },
        { kind: 'pretrain-discriminator', steps: 60, until: 0.9 },
        { kind: 'finetune', steps: 2 },
      ],
      evaluateEvery: 2,
      checkpointEvery: 2,
      keepCheckpoints: 100,
    });
    const lines: string[] = [];
    const { steps, finished, model: saved } = await runTraining(config, { log: (line) => lines.push(line) });
    expect(finished).toBe(true);
    const losses = await readLosses(config.output);
    const own = losses.filter(({ volume, real }) => volume === undefined && real !== undefined);
    expect(own.length, lines.join('\n')).toBeLessThan(60);
    expect(own.length % 2).toBe(0);
    expect(steps).toBe(4 + own.length);
    expect(own.at(-1)?.real).toBeLessThan(0.9 * own[0].real);
    const [before, after] = [await stateAt(config.output, 2), await stateAt(config.output, 2 + own.length)];
    expect(after.ended).toEqual({ 1: own.length });
    for (const name of ['estimator', 'regressor'] as const) {
      expect(after.networks[name]!.parameters).toEqual(before.networks[name]!.parameters);
      expect(after.networks[name]!.statistics).toEqual(before.networks[name]!.statistics);
    }
    expect(after.networks.discriminator!.parameters).not.toEqual(before.networks.discriminator!.parameters);
    expect(after.networks.discriminator!.statistics).not.toEqual(before.networks.discriminator!.statistics);
    const evaluations = (await readFile(join(config.output, 'log.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .filter(({ type, step }) => type === 'evaluation' && step > 0 && step <= 2 + own.length);
    expect(evaluations.at(-1).reconstruction).toBeLessThan(0.9);
    expect(evaluations.at(-2).reconstruction).toBeGreaterThanOrEqual(0.9);
    // G and P are frozen meanwhile.
    expect(evaluations.at(-1).coordinate).toBeGreaterThan(0);
    expect(evaluations.at(-1).coordinate).toBe(evaluations.at(-2).coordinate);

    const resumed = await runTraining(
      { ...config, stages: config.stages.map((stage) => ({ ...stage })) },
      { resume: 'required' },
    );
    expect(resumed.steps).toBe(steps);

    const model = await loadModel(saved);
    const discriminator = await loadDiscriminator(model, saved);
    expect(discriminator?.options).toMatchObject({ shared: true, stages: 'all', bottleneck: 0 });
    discriminator?.dispose();
    model.dispose();

    const next = {
      ...config,
      startFrom: saved,
      output: `${config.output}-next`,
      stages: [{ kind: 'pretrain-discriminator' as const, steps: 1 }],
    };
    await runTraining(next, { log: (line) => lines.push(line) });
    const [{ real }] = await readLosses(next.output);
    expect(real).toBeLessThan(0.95 * own[0].real);
    const others = { ...next, output: `${next.output}-other`, discriminator: { bottleneck: 3 } };
    await runTraining(others, { log: (line) => lines.push(line) });
    expect(lines.filter((line) => line.includes('has other options than this run'))).toHaveLength(1);
    expect((await readLosses(others.output))[0].real).toBeGreaterThan(real);
  });

  it('goes through an adversarial stage of the relative form', async () => {
    const config = await microConfig({
      discriminator: { form: 'relative', share: 0.2, bottleneck: 6, shared: false },
      stages: [{ kind: 'adversarial', steps: 2 }],
    });
    await runTraining(config);
    const losses = await readLosses(config.output);
    for (const { real, fake, adversarial, adversarialWeight } of losses) {
      // Two stages, and D returns next to nothing at first.
      expect(real).toBeGreaterThan(1);
      expect(real).toBeLessThan(3);
      for (const value of [fake, adversarial]) expect(value).toBeGreaterThan(0);
      expect(adversarialWeight).toBeGreaterThan(0);
    }
  });

  it('wants a 3D validation set for until, and until for this stage only', () => {
    const stage = { kind: 'pretrain-discriminator' as const, steps: 3, until: 0.5 };
    const data = { train3d: [{ format: 'packed' as const, root: 'a' }] };
    const config = { name: 'x', output: 'y', data, stages: [stage] };
    expect(() => parseTrainingConfig(config)).toThrow(/data\.validation: a stage with until/);
    const wrong = { ...config, stages: [{ ...stage, kind: 'finetune' }] };
    expect(() => parseTrainingConfig(wrong)).toThrow(/until is for pretrain-discriminator/);
  });
});
