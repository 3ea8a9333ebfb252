import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setupBackend } from '@voxface/backend';
import { lockFolder } from '@voxface/datasets/node';
import { beforeAll, describe, expect, it } from 'vitest';
import type { TrainingConfigInput } from '../src/index.ts';
import { runTraining } from '../src/node.ts';
import { microConfig } from './helpers/packed-faces.ts';

beforeAll(async () => {
  await setupBackend('cpu');
});

const micro = (overrides: Partial<TrainingConfigInput> = {}) =>
  microConfig({ stages: [{ kind: 'pretrain', steps: 4 }], evaluateEvery: 100, ...overrides });

describe('the folder of a run', () => {
  it('belongs to one run: a new one among its checkpoints is refused, or replaces them when told to', async () => {
    const config = await micro();
    await runTraining(config);
    const files = await readdir(join(config.output, 'checkpoints'));
    const other = { ...config, seed: 5, stages: [{ kind: 'pretrain', steps: 2 } as const] };
    await expect(runTraining(other)).rejects.toThrow(
      /a new run needs a folder without checkpoints, got .* \(resume that run, choose another output, or overwrite it\)/,
    );
    expect(await readdir(join(config.output, 'checkpoints'))).toEqual(files);
    expect((await runTraining(other, { overwrite: true })).steps).toBe(2);
    expect(await readdir(join(config.output, 'checkpoints'))).toEqual(['best.ckpt', 'step-00000002.ckpt']);
  });

  it('has one writer at a time', async () => {
    const config = await micro();
    const unlock = await lockFolder(config.output, 'a test');
    await expect(runTraining(config)).rejects.toThrow(/one writer per folder, got .* writes a test/);
    await unlock();
    expect((await runTraining(config)).finished).toBe(true);
  });

  it('says what has changed when a run is resumed, and refuses a plan that ends before the checkpoint', async () => {
    const config = await micro();
    await runTraining(config);
    const lines: string[] = [];
    const changed = { ...config, seed: 9, logEvery: 2, stages: [{ kind: 'pretrain', steps: 6 } as const] };
    await runTraining(changed, { resume: 'required', log: (line) => lines.push(line) });
    const said = lines.filter((line) => line.startsWith('the configuration has changed'));
    expect(said).toHaveLength(2);
    expect(said[0]).toMatch(/since the checkpoint: seed was 0, is 9/);
    expect(said[1]).toMatch(/stages was .*4.* is .*6/);
    const shorter = { ...config, stages: [{ kind: 'pretrain', steps: 3 } as const] };
    await expect(runTraining(shorter, { resume: 'required' })).rejects.toThrow(
      /the plan must reach beyond the checkpoint, got 3 steps and step 6/,
    );
  });

  it('is not lost to a broken picture of the validation: the picture is named and left out', async () => {
    const config = await micro({ evaluateEvery: 2 });
    const validation = config.data.validation![0];
    const broken = await microConfig();
    const root = broken.data.validation![0].root;
    const images = await open(join(root, 'images.bin'), 'r+');
    await images.write(new Uint8Array(120), 0, 120, 0);
    await images.close();
    const lines: string[] = [];
    const data = { ...config.data, validation: [{ ...validation, root }] };
    const result = await runTraining({ ...config, data }, { log: (line) => lines.push(line) });
    expect(result.finished).toBe(true);
    expect(result.evaluations[0].count).toBe(3);
    expect(
      lines.some((line) => /^left out of the validation: .*: decodeImage: expected a whole/.test(line)),
    ).toBe(true);
  });
});
