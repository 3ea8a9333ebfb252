import { expectClose } from '@voxface/test-utils';
import { describe, expect, it } from 'vitest';
import { crc32c } from '../src/checkpoint.ts';
import type { GradientEngine } from '../src/engine.ts';
import { autoWorkers } from '../src/node/parallel-engine.ts';
import { parseTrainingConfig } from '../src/parse-config.ts';
import { learningRateAt, nextBalance } from '../src/schedule.ts';
import { planStages, rateAt, stageAt } from '../src/stages.ts';
import { createTrainer } from '../src/trainer.ts';
import { adamUpdate, createAdamState, gradientNorm, type TrainingState } from '../src/training-state.ts';
import golden from './golden/train.json' with { type: 'json' };

describe('adamUpdate', () => {
  const run = (weightDecay: number): Float32Array => {
    const parameters = Float32Array.from(golden.adam.start);
    const state = createAdamState(parameters.length);
    for (const gradient of golden.adam.gradients) {
      adamUpdate(parameters, Float32Array.from(gradient), state, 0.01, { weightDecay });
    }
    return parameters;
  };
  it('follows torch.optim.Adam and AdamW', () => {
    expectClose(run(0), golden.adam.adam, { absolute: 2e-6 });
    expectClose(run(0.1), golden.adam.adamw, { absolute: 2e-6 });
  });
  it('refuses gradients of another size', () => {
    const call = () => adamUpdate(new Float32Array(3), new Float32Array(2), createAdamState(3), 0.1);
    expect(call).toThrow(/expected 3 gradients/);
  });
  it('measures the norm, not finite when an entry is not', () => {
    expect(gradientNorm(Float32Array.of(3, 4))).toBe(5);
    expect(gradientNorm(Float32Array.of(3, Number.NaN))).toBeNaN();
  });
});

describe('autoWorkers', () => {
  const count = (
    batchSize: number,
    cores: number,
    name = 'wasm',
    backend: 'auto' | 'node' | 'node-gpu' = 'auto',
  ) => autoWorkers({ batchSize, accumulate: 1, backend }, { name, tried: [] }, cores);
  it('takes the cores that divide the batch into parts of four or more', () => {
    expect([count(24, 2), count(24, 5), count(24, 64), count(10, 4), count(7, 8)]).toEqual([2, 4, 6, 2, 1]);
  });
  it('keeps GPUs, the cpu backend and micro-batches in one piece', () => {
    expect([count(24, 8, 'webgpu'), count(24, 8, 'cpu'), count(24, 8, 'tensorflow', 'node-gpu')]).toEqual([
      1, 1, 1,
    ]);
    expect(count(24, 8, 'tensorflow')).toBe(1); // auto got as far as node-gpu
    expect(count(24, 8, 'tensorflow', 'node')).toBe(6);
    expect(
      autoWorkers({ batchSize: 24, accumulate: 2, backend: 'node' }, { name: 'tensorflow', tried: [] }, 8),
    ).toBe(1);
  });
  it('is what a configuration may ask for', () => {
    const config = {
      name: 'a',
      output: 'b',
      data: {},
      stages: [{ kind: 'mixed', steps: 1 }],
      share2d: 0,
    } as const;
    expect(parseTrainingConfig({ ...config, workers: 'auto' }).workers).toBe(1);
    expect(() => parseTrainingConfig({ ...config, workers: 'many' })).toThrow(/workers/);
  });
});

describe('nextBalance', () => {
  it('is Eq. 12', () => {
    expect(nextBalance(0.5, 10, 2)).toBeCloseTo(0.5 + 0.001 * (7 - 2), 12);
    expect(nextBalance(0.5, 1, 3, { gamma: 0.5, rate: 0.01 })).toBeCloseTo(0.5 + 0.01 * (0.5 - 3), 12);
  });
  it('stays in 0..1', () => {
    expect(nextBalance(0.999, 1e4, 0)).toBe(1);
    expect(nextBalance(0.001, 0, 1e4)).toBe(0);
  });
  it('gives the same step for losses in another unit', () => {
    expect(nextBalance(0.2, 248 * 3, 248 * 1, { unit: 248 })).toBeCloseTo(nextBalance(0.2, 3, 1), 12);
  });
  it('refuses losses that are not finite', () => {
    expect(() => nextBalance(0, Number.NaN, 1)).toThrow(/must be finite/);
  });
});

describe("a stage's own gamma and rate", () => {
  it('move mu on from where the stage before left it', async () => {
    const config = parseTrainingConfig({
      name: 'gamma',
      output: 'none',
      data: { train3d: [{ format: 'packed', root: 'a' }], train2d: [{ format: 'packed', root: 'b' }] },
      balance: { rate: 0.1 },
      stages: [
        { kind: 'adversarial', steps: 1 },
        { kind: 'adversarial', steps: 1, balance: { gamma: 0.9 } },
        { kind: 'adversarial', steps: 1, balance: { rate: 0.2 } },
      ],
    });
    const engine = {
      parts: 1,
      load: async () => {},
      compute: async () => ({ losses: { real: 1, fake: 0.5 }, gradients: {} }),
      energy: async () => ({}),
      takeTimes: () => ({}),
    } as unknown as GradientEngine;
    const state = { step: 0, mu: 0.1, networks: {} } as unknown as TrainingState;
    const trainer = createTrainer(config, {
      engine,
      state,
      plan: () => planStages(config, 10),
      openSources: () => ({}),
    });
    const found: (number | undefined)[][] = [];
    for (let i = 0; i < 3; i++) {
      const { mu, gap } = await trainer.step();
      found.push([mu, gap]);
    }
    const expected = [
      [0.12, 0.2],
      [0.16, 0.4],
      [0.2, 0.2],
    ];
    found.flat().forEach((value, i) => {
      expect(value).toBeCloseTo(expected.flat()[i], 10);
    });
  });
  it('are for adversarial stages', () => {
    const config = {
      name: 'x',
      output: 'y',
      data: { train3d: [{ format: 'packed', root: 'a' }] },
      stages: [{ kind: 'finetune', steps: 1, balance: { gamma: 0.9 } }],
    };
    expect(() => parseTrainingConfig(config)).toThrow(/balance is for adversarial stages/);
  });
});

describe('learningRateAt', () => {
  const drops = [
    { at: 0.85, factor: 0.06 },
    { at: 0.6, factor: 0.3 },
  ];
  it('drops at fractions of the run, whatever their order', () => {
    const at = (step: number) => learningRateAt(step, 100, { initial: 1e-3, drops });
    expect([at(0), at(59), at(60), at(84), at(85), at(99)]).toEqual([1e-3, 1e-3, 3e-4, 3e-4, 6e-5, 6e-5]);
  });
  it('takes the first of two drops at one place', () => {
    const twice = [0.1, 0.2].map((factor) => ({ at: 0.5, factor }));
    expect(learningRateAt(50, 100, { initial: 1, drops: twice })).toBe(0.1);
  });
  it('is for steps of the run, of which there may be none', () => {
    expect(learningRateAt(0, 0, { initial: 1, shape: 'cosine' })).toBe(1);
    for (const step of [-1, 101, Number.NaN]) {
      expect(() => learningRateAt(step, 100)).toThrow(`step must be in 0..100, got ${step}`);
    }
  });
  it('warms up linearly and follows a cosine', () => {
    expect(learningRateAt(4, 100, { initial: 1, warmupSteps: 10 })).toBeCloseTo(0.5);
    expect(learningRateAt(4, 100, { initial: 1, warmupSteps: 10, shape: 'cosine', floor: 1 })).toBeCloseTo(
      0.5,
    );
    expect(learningRateAt(10, 100, { initial: 1, warmupSteps: 10 })).toBe(1);
    expect(learningRateAt(0, 100, { initial: 1, shape: 'cosine', floor: 0.1 })).toBeCloseTo(1);
    expect(learningRateAt(50, 100, { initial: 1, shape: 'cosine', floor: 0 })).toBeCloseTo(0.5);
    expect(learningRateAt(100, 100, { initial: 1, shape: 'cosine', floor: 0.1 })).toBeCloseTo(0.1);
  });
});

describe('stages', () => {
  const config = parseTrainingConfig({
    name: 'plan',
    output: 'none',
    batchSize: 12,
    workers: 2,
    share2d: 0.5,
    data: { train3d: [{ format: 'packed', root: 'a' }], train2d: [{ format: 'packed', root: 'b' }] },
    stages: [
      { kind: 'pretrain', epochs: 2 },
      { kind: 'adversarial', steps: 30, learningRate: { initial: 1e-5 } },
    ],
  });
  it('counts epochs in 3D samples and lays stages one after the other', () => {
    const plans = planStages(config, 100);
    expect(plans.map((plan) => [plan.start, plan.steps])).toEqual([
      [0, 18],
      [18, 30],
    ]);
    expect(stageAt(plans, 17).index).toBe(0);
    expect(stageAt(plans, 18).index).toBe(1);
    expect(plans[1].phases).toEqual(['discriminator', 'generator']);
    expect(rateAt(config, plans, 3)).toBe(2.5e-4);
    expect(rateAt(config, plans, 20)).toBe(1e-5);
  });
  it('has its last stage at its end', () => {
    expect(stageAt(planStages(config, 100), 48).index).toBe(1);
  });
  it('gives every worker the same mixture', () => {
    expect(planStages(config, 100)[1].shares).toEqual({ size3d: 6, size2d: 6 });
    // Three images a part, one and a half of them 2D.
    const parts = { ...config, workers: 2, accumulate: 2 };
    expect(planStages(parts, 100)[1].shares).toEqual({ size3d: 4, size2d: 8 });
  });
  it('keeps a 3D image in every part of an adversarial batch, whose L_real needs one', () => {
    const stages = (['mixed', 'adversarial'] as const).map((kind) => ({ kind, steps: 1 }));
    const [mixed, adversarial] = planStages({ ...config, share2d: 1, stages }, 100);
    expect(mixed.shares).toEqual({ size3d: 0, size2d: 12 });
    expect(adversarial.shares).toEqual({ size3d: 2, size2d: 10 });
  });
});

describe('parseTrainingConfig', () => {
  const valid = {
    name: 'x',
    output: 'y',
    data: { train3d: [{ format: 'packed', root: 'a' }] },
    stages: [{ kind: 'finetune', steps: 1 }],
  };
  it('names the wrong fields', () => {
    const wrong = { ...valid, batchSize: -1, learningRate: { initial: 'fast' } };
    expect(() => parseTrainingConfig(wrong, 'a.json')).toThrow(/a\.json.*batchSize.*learningRate\.initial/s);
    expect(() => parseTrainingConfig({ ...valid, batchsize: 3 })).toThrow(/batchsize/);
    expect(() => parseTrainingConfig({ ...valid, stages: [{ kind: 'finetune' }] })).toThrow(
      /steps or epochs/,
    );
  });
  it('wants the data that the stages need', () => {
    expect(() => parseTrainingConfig({ ...valid, stages: [{ kind: 'mixed', steps: 1 }] })).toThrow(/train2d/);
    expect(() => parseTrainingConfig({ ...valid, data: { train2d: [] } })).toThrow(/train3d/);
    expect(() => parseTrainingConfig({ ...valid, batchSize: 9, workers: 2 })).toThrow(/divisible by workers/);
  });
});

describe('crc32c', () => {
  it('gives the vectors of RFC 3720', () => {
    const bytes = (f: (i: number) => number) => Uint8Array.from({ length: 32 }, (_, i) => f(i));
    expect(crc32c(bytes(() => 0))).toBe(0x8a9136aa);
    expect(crc32c(bytes(() => 255))).toBe(0x62a8ab43);
    expect(crc32c(bytes((i) => i))).toBe(0x46dd794e);
    expect(crc32c(bytes((i) => 31 - i))).toBe(0x113fdb5c);
    expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283);
  });
});
