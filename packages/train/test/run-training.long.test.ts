import { readdir, readFile, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { memory } from '@tensorflow/tfjs-core';
import { setupBackend } from '@voxface/backend';
import { openPackedSet, writePackedSet } from '@voxface/datasets/node';
import { loadModel } from '@voxface/models/node';
import { beforeAll, describe, expect, it } from 'vitest';
import { decodeCheckpoint } from '../src/checkpoint.ts';
import { runTraining } from '../src/node.ts';
import { dotFaces, microConfig, readLosses } from './helpers/packed-faces.ts';

beforeAll(async () => {
  await setupBackend('cpu');
});

describe('runTraining', () => {
  it('resumes exactly where it was stopped, from the checkpoint before a truncated one', async () => {
    const whole = await microConfig({ average: { decay: 0.9, every: 2 } });
    await runTraining(whole);
    const expected = await readLosses(whole.output);
    expect(expected.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(expected[5].mu).toBeGreaterThan(0);

    const cut = { ...whole, output: `${whole.output}-cut` };
    const controller = new AbortController();
    const lines: string[] = [];
    const log = (line: string) => {
      lines.push(line);
      if (line.includes('adversarial 5/')) controller.abort();
    };
    const stopped = await runTraining(cut, { signal: controller.signal, log });
    expect(stopped.finished).toBe(false);
    expect(await readdir(join(cut.output, 'checkpoints'))).toContain('step-00000005.ckpt');
    await truncate(join(cut.output, 'checkpoints', 'step-00000005.ckpt'), 5000);
    const resumed = await runTraining(cut, { resume: true, log });
    expect(lines.some((line) => /step-00000005.ckpt is truncated or damaged/.test(line))).toBe(true);
    expect(lines.some((line) => /resumed from .*step-00000004.ckpt at step 4/.test(line))).toBe(true);
    expect(resumed.finished).toBe(true);
    expect(await readLosses(cut.output)).toEqual(expected);

    const final = async (output: string) => {
      const bytes = await readFile(join(output, 'checkpoints', 'step-00000006.ckpt'));
      return decodeCheckpoint(bytes, output).state;
    };
    expect(await final(cut.output)).toEqual(await final(whole.output));
    const model = await loadModel(resumed.model);
    expect(model.options.landmarks).toBe(5);
    model.dispose();
  });

  it('sees the same samples after a resume when it reads shard by shard through a buffer', async () => {
    const whole = await microConfig({ shuffle: { buffer: 3 }, batchSize: 4 });
    const set = whole.data.train3d![0].root;
    // Shards of two samples.
    await rm(set, { recursive: true });
    await writePackedSet(set, dotFaces(10, 3, 1), { decoded: true, shardBytes: 2 * 24 * 24 * 3 });
    expect((await openPackedSet(set)).shards).toEqual([0, 2, 4, 6, 8]);
    await runTraining(whole);
    const cut = { ...whole, output: `${whole.output}-cut` };
    const controller = new AbortController();
    const log = (line: string) => {
      if (line.includes('pretrain 2/')) controller.abort();
    };
    expect((await runTraining(cut, { signal: controller.signal, log })).finished).toBe(false);
    expect((await runTraining(cut, { resume: 'required' })).finished).toBe(true);
    const final = async (output: string) => {
      const bytes = await readFile(join(output, 'checkpoints', 'step-00000006.ckpt'));
      return decodeCheckpoint(bytes, output).state;
    };
    expect(await final(cut.output)).toEqual(await final(whole.output));
    // It is another order than that of all samples at once.
    const other = { ...whole, output: `${whole.output}-all`, shuffle: 'all' as const };
    await runTraining(other);
    expect(await readLosses(other.output)).not.toEqual(await readLosses(whole.output));
  });

  it('learns: the losses of a one-stage run fall', async () => {
    const config = await microConfig({
      augmentation: false,
      learningRate: { initial: 5e-3 },
      stages: [{ kind: 'finetune', steps: 30 }],
      evaluateEvery: 30,
      checkpointEvery: 30,
    });
    const { evaluations } = await runTraining(config);
    const losses = (await readLosses(config.output)).map(({ volume, coordinate }) => volume + coordinate);
    const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    expect(mean(losses.slice(-5))).toBeLessThan(0.8 * mean(losses.slice(0, 5)));
    expect(evaluations[0].nme3d).toBeGreaterThan(0);
  });

  it('leaves no tensor behind', async () => {
    const config = await microConfig({ stages: [{ kind: 'mixed', steps: 2 }] });
    await runTraining(config);
    const before = memory().numTensors;
    await runTraining({ ...config, output: `${config.output}-again` });
    expect(memory().numTensors).toBe(before);
  });

  it('stops at losses that are not finite and says what to try', async () => {
    const config = await microConfig({
      learningRate: { initial: 1e30 },
      stages: [{ kind: 'finetune', steps: 10 }],
    });
    await expect(runTraining(config)).rejects.toThrow(/not finite at step \d+ \(lower learningRate/);
  });

  it('stops at volumes that stay empty and says what to try', async () => {
    const config = await microConfig({
      // A rate of nothing: the volumes stay what the initial weights make of them.
      learningRate: { initial: 1e-12 },
      stages: [{ kind: 'pretrain-estimator', steps: 10 }],
      collapseAfter: 4,
      evaluateEvery: 100,
      checkpointEvery: 100,
    });
    await expect(runTraining(config)).rejects.toThrow(
      /volumes collapsed, they explain .* % of the energy 4 steps into the stage \(try a lower learningRate/,
    );
    await expect(
      runTraining({ ...config, collapseAfter: 0, output: `${config.output}-on` }),
    ).resolves.toMatchObject({
      finished: true,
    });
  });

  it('names the data that does not fit the model', async () => {
    const config = await microConfig();
    const model = { ...(config.model as object), landmarks: 68 };
    await expect(runTraining({ ...config, model })).rejects.toThrow(/68 landmarks.*dots-3d-1 has 5/);
  });
});
