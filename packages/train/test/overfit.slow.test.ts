import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findData } from '@voxface/test-utils/node';
import { describe, expect, it } from 'vitest';
import { runTraining } from '../src/node.ts';

const photos = findData('300w/afw');
const faceModel = findData('ict-facekit');

describe.skipIf(photos === undefined || faceModel === undefined)('training on wasm', () => {
  it('learns 16 real photos by heart, to under 1 % NME in 2D and 3D', async () => {
    const source = { format: '300w' as const, root: photos!, limit: 16, fitDepth: { faceModel: faceModel! } };
    const lines: string[] = [];
    const { evaluations } = await runTraining(
      {
        name: 'overfit',
        output: await mkdtemp(join(tmpdir(), 'voxface-overfit-')),
        backend: 'wasm',
        seed: 1,
        model: {
          preset: 'small',
          inputSize: 64,
          features: 32,
          depths: [1, 16],
          hourglassDepth: 3,
          regressorChannels: [16, 32, 64, 96],
        },
        batchSize: 16,
        augmentation: false,
        data: { train3d: [source], validation: [source] },
        learningRate: { initial: 3e-3, warmupSteps: 20, shape: 'cosine', floor: 0.01 },
        stages: [{ kind: 'finetune', steps: 500 }],
        evaluateEvery: 100,
        checkpointEvery: 500,
      },
      { log: (line) => lines.push(line) },
    );
    console.log(lines.filter((line) => line.startsWith('step')).join('\n'));
    expect(evaluations[0].count).toBe(16);
    expect(evaluations[0].nme).toBeLessThan(0.01);
    expect(evaluations[0].nme3d).toBeLessThan(0.01);
  });
});
